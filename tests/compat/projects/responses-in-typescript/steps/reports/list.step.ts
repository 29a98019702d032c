export const config = { type: 'api', name: 'List', path: '/list', method: 'GET', emits: [] }

export const handler = () => ({
  status: 200,
  body: [{ at: new Date(0), skipped: undefined, none: null }],
})
