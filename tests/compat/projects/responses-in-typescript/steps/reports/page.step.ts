export const config = { type: 'api', name: 'Page', path: '/page', method: 'GET', emits: [] }

export const handler = async () => ({ status: 200, body: '<p>hi</p>' })
