import { ApiMiddleware } from 'motia'

declare module 'motia' {
  interface ApiRequest {
    user?: { id: string }
  }
}

export const timed: ApiMiddleware = async (_req, { logger }, next) => {
  logger.info('before')
  const response = await next()
  logger.info('after')
  return { ...response, headers: { ...response.headers, 'X-Timed': 'yes' } }
}

export const errors: ApiMiddleware = async (_req, { logger }, next) => {
  try {
    return await next()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    logger.warn(error.message)
    return { status: 409, body: { error: error.message } }
  }
}

export const auth: ApiMiddleware<unknown, unknown, unknown> = async (req, { emit, traceId }, next) => {
  if (!req.headers.authorization) {
    return { status: 401, body: { error: 'Unauthorized' } }
  }
  ;(req as any).user = { id: req.headers.authorization as string }
  await (emit as any)({ topic: 'admin.seen', data: { traceId } })
  return next()
}
