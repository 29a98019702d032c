export const config = { type: 'api', name: 'SrcDotted', path: '/:else', method: 'GET', emits: [] }
export const handler = async () => ({ status: 200, body: { step: 'SrcDotted' } })
