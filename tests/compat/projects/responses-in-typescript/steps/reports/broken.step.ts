export const config = { type: 'api', name: 'Broken', path: '/broken', method: 'GET', emits: [] }

export const handler = async () => {
  throw new TypeError('no such report')
}
