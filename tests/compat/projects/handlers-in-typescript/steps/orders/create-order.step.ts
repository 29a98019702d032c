import { ApiRouteConfig, Handlers } from 'motia'
import { orderTopic } from '../../src/topics'

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'CreateOrder',
  path: '/orders',
  method: 'POST',
  emits: [orderTopic],
  flows: ['orders', 'shop'],
}

export const handler: Handlers['CreateOrder'] = async (req, { emit, logger, state, traceId }) => {
  logger.info('Creating', { item: req.body.item })
  await state.set('orders', traceId, { item: req.body.item })
  await emit({ topic: orderTopic, data: { item: req.body.item } })
  return { status: 201, body: { traceId } }
}
