// A project whose types.d.ts names its Steps and streams.
import type { FlowContext, Handlers, StreamConfig } from 'motia';

export const create: Handlers['Create Order'] = async (req, { emit, streams }) => {
  const item: string = req.body.item + (req.user?.id ?? '');
  await emit({ topic: 'order.created', data: { item } });
  const set = await streams.orders.set('all', item, { id: item, state: 'new' });
  const state: 'new' | 'paid' = set.state;
  return { status: 202, body: { id: set.id, state } };
};
export const charge: Handlers['charge'] = async (input, { logger }) => logger.info(input.item);
export const nightly: Handlers['nightly'] = async ({ emit }) => emit({ topic: 'order.created', data: { item: '' } });
export const untyped: Handlers['not yet generated'] = async (input, { emit }) => emit({ topic: input.topic, data: 1 });
export const access: StreamConfig['canAccess'] = (_, context) => context?.userId === 'ann';

// @ts-expect-error the body has no such field
export const wrongField: Handlers['Create Order'] = async (req) => ({ status: 202, body: { id: req.body.no, state: 'new' } });
// @ts-expect-error another status
export const wrongStatus: Handlers['Create Order'] = async () => ({ status: 200, body: { id: 'a', state: 'new' } });
// @ts-expect-error it emits nothing
export const wrongEmit: Handlers['charge'] = async (_, { emit }) => emit({ topic: 'x', data: 1 });
// @ts-expect-error no such stream
export const wrongStream = (ctx: FlowContext) => ctx.streams.nothing;
// @ts-expect-error no such field of the item
export const wrongItem = (ctx: FlowContext) => ctx.streams.orders.set('a', 'b', { id: 'b', state: 'lost' });
// @ts-expect-error no such field of the context
export const wrongAccess: StreamConfig['canAccess'] = (_, context) => context?.user === 'ann';
