export const config = { type: 'api', name: 'HomeTs', path: '/home', method: 'GET', emits: [] }

export const handler = async () => ({ status: 200, body: { ok: true } })
