export const config = { type: 'api', name: 'StepsUnderscored', path: '/:one', method: 'GET', emits: [] }
export const handler = async () => ({ status: 200, body: { step: 'StepsUnderscored' } })
