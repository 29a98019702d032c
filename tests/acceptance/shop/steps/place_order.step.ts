export const config = {
  type: 'api',
  name: 'place-order',
  method: 'POST',
  path: '/orders/:customer',
  emits: ['order.placed'],
  flows: ['shop'],
}

export const handler = async (req: any, { emit, state, logger }: any) => {
  if (!req.body.item) return { status: 400, body: { error: 'which item?' } }
  const order = { ...req.body, customer: req.pathParams.customer }
  await state.set('orders', order.id, { ...order, status: 'placed' })
  await emit({ topic: 'order.placed', data: order, messageGroupId: order.customer })
  logger.info('Order placed', { id: order.id })
  return { status: 202, body: { id: order.id } }
}
