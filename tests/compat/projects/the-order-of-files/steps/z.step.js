export const config = { type: 'api', name: 'StepsDotted', path: '/:any', method: 'GET', emits: [] }
export const handler = async () => ({ status: 200, body: { step: 'StepsDotted' } })
