import type { ApiMiddleware } from 'motia'
import { BaseError } from '../errors/base.error'

export const coreMiddleware =
  ({ verbose }: { verbose: boolean }): ApiMiddleware =>
  async (_req, { logger }, next) => {
    try {
      return await next()
    } catch (err: unknown) {
      if (!(err instanceof BaseError)) throw err
      if (verbose) logger.error('Known error', { err, code: err.code })
      return { status: err.status, body: err.toJSON() }
    }
  }
