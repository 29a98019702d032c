import { ApiRouteConfig, Handlers } from 'motia'

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'UpdateOrder',
  description: 'Changes an order',
  path: '/orders/:orderId',
  method: 'PUT',
  emits: [],
  flows: ['orders'],
}

export const handler: Handlers['UpdateOrder'] = async (req, { logger }) => {
  const { orderId } = req.pathParams
  logger.info('Updating', { orderId })
  return {
    status: 200,
    body: {
      orderId,
      expand: req.queryParams.expand,
      filter: req.queryParams.filter,
      agent: req.headers['x-agent'],
      body: req.body,
      rawBody: req.rawBody,
      keys: Object.keys(req).sort(),
    },
  }
}
