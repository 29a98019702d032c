import { ApiRouteConfig, Handlers } from 'motia'
import { coreMiddleware } from '../../src/middlewares/core.middleware'
import { NotFoundError } from '../../src/errors/not-found.error'
import { itemService } from '../../src/services/items'

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'GetItem',
  path: '/items/:id',
  method: 'GET',
  emits: [],
  middleware: [coreMiddleware({ verbose: true })],
}

export const handler: Handlers['GetItem'] = async (req) => {
  const item = itemService.find(req.pathParams.id)
  if (!item) throw new NotFoundError(`No item ${req.pathParams.id}`)
  return { status: 200, body: item }
}
