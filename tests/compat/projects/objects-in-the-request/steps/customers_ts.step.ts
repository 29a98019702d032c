import { ApiMiddleware } from 'motia'

const withStore: ApiMiddleware = async (req: any, _ctx, next) => {
  req.store = { find: (id: string) => ({ id, tenant: req.headers['x-tenant'] }) }
  return next()
}

export const config = {
  type: 'api',
  name: 'CustomersTs',
  path: '/ts/customers/:id',
  method: 'GET',
  emits: [],
  middleware: [withStore],
}

export const handler = async (req: any) => ({ status: 200, body: req.store.find(req.pathParams.id) })
