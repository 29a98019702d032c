import type { ApiMiddleware } from 'motia'

const silent: ApiMiddleware = async (_req, _ctx, next) => {
  await next()
  return undefined as any
}

export const config = {
  type: 'api',
  name: 'SilentTs',
  path: '/silent',
  method: 'GET',
  emits: [],
  middleware: [silent],
}

export const handler = async () => ({ status: 200, body: { ok: true } })
