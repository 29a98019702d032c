export const config = {
  type: 'api',
  name: 'CountOrders',
  path: '/orders/count',
  method: 'POST',
  emits: [],
}

export const handler = async (req) => ({ status: 200, body: { body: req.body, type: typeof req.body } })
