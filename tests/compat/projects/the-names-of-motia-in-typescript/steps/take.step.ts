import {
  type ApiRequest,
  type FlowContext,
  type Handlers,
  http,
  isQueueTrigger,
  jsonSchema,
  queue,
  type StepConfig,
  type StreamConfig,
} from 'motia';
import { take } from '../lib/orders';

const order = jsonSchema({ type: 'object', properties: { id: { type: 'string' } } });

export const config = {
  name: 'Take',
  triggers: [http('POST', '/orders', { bodySchema: order }), queue('order.imported', { input: order })],
  enqueues: ['order.taken'],
} as const satisfies StepConfig;

export const handler: Handlers<typeof config> = async (input: any, ctx: any) => {
  const taken = await take(ctx.getData());
  const queues = config.triggers.filter(isQueueTrigger).length;
  return { status: 202, body: { ...taken, queues } };
};
