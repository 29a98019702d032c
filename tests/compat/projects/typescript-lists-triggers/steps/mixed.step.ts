import { cron, enqueue, type Handlers, http, logger, queue, state, type StepConfig, stream } from 'motia';
import { orders } from './orders.stream';

const isLarge = async (input: any) => input.amount > 10;

export const config = {
  name: 'Mixed',
  triggers: [
    http('POST', '/orders/:shop'),
    queue('order.made', {}, isLarge),
    queue('order.imported', { condition: (input: any, ctx) => ctx.trigger.topic === input.from }),
    cron('0 0 9 * * *', async () => true),
    state((input: any) => input.group_id === 'seen'),
    stream('orders', { groupId: 'new' }),
    stream('orders', (input: any) => input.groupId === 'old'),
  ],
  enqueues: ['order.made'],
} as const satisfies StepConfig;

export const handler: Handlers<typeof config> = async (input: any, ctx: any) => {
  const { type, index, ...place } = ctx.trigger;
  logger.info('started', { type, index, place });
  if (type !== 'http') return;
  await enqueue({ topic: 'order.made', data: { amount: 5 } });
  await enqueue({ topic: 'order.made', data: { amount: 50 } });
  await orders.set('new', '1', { shop: input.request.pathParams.shop });
  await orders.set('old', '1', {});
  await orders.set('other', '1', {});
  await ctx.state.set('seen', '1', true);
  await ctx.state.set('unseen', '1', true);
  return { status: 201, body: { index } };
};
