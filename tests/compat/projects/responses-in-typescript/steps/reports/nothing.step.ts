export const config = { type: 'api', name: 'Nothing', path: '/nothing', method: 'GET', emits: [] }

export const handler = async () => {}
