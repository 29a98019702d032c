export const config = {
  type: 'event',
  name: 'ship',
  subscribes: ['order.paid'],
  emits: [],
  flows: ['shop'],
}

export const handler = async (paid: any, { state, streams, logger }: any) => {
  const order = await state.get('orders', paid.id)
  await state.set('orders', paid.id, { ...order, status: 'shipped', receipt: paid.receipt })
  await streams.parcels.set('all', paid.id, { status: 'on its way' })
  logger.info('Shipped', { id: paid.id })
}
