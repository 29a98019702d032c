import type { EventConfig, FlowContext } from 'motia'

interface Order {
  item: string
}

export const config: EventConfig = {
  type: 'event',
  name: 'PackOrder',
  description: 'Packs it',
  subscribes: ['order.created'],
  emits: [],
  flows: ['orders'],
}

// not async
export const handler = (input: Order, ctx: FlowContext<never>) => {
  ctx.logger.warn(`Packing ${input.item}`)
  ctx.logger.error('nothing wrong')
  ctx.logger.debug('not shown by default')
  return ctx.state.set('packed', input.item, { traceId: ctx.traceId, flows: (ctx as any).flows })
}
