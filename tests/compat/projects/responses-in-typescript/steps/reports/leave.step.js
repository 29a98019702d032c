exports.config = { type: 'api', name: 'Leave', path: '/leave', method: 'GET', emits: [] }

exports.handler = async () => {
  process.exit(3)
}
