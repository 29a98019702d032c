import { ApiRouteConfig, Handlers } from 'motia'
import { auth, errors, timed } from '../../src/middlewares'

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'AdminTs',
  path: '/admin/:what',
  method: 'GET',
  emits: ['admin.seen'],
  middleware: [timed, errors, auth],
}

export const handler: Handlers['AdminTs'] = async (req, { logger }) => {
  logger.info('handler')
  if (req.pathParams.what === 'fail') throw new Error('failed')
  if (req.pathParams.what === 'known') throw new TypeError('known')
  return { status: 200, body: { user: (req as any).user, what: req.pathParams.what } }
}
