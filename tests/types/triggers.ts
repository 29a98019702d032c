// Lists of triggers, as in Motia 1.0; each line marked @ts-expect-error must be refused.
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import {
  api, cron, enqueue, getQueueTriggers, http, isQueueTrigger, jsonSchema, logger, multiTriggerStep,
  queue, state, stateManager, step, stream, Stream,
  type Handlers, type MotiaHttpArgs, type StepConfig, type StreamConfig, type TriggerCondition,
} from 'motia';
import { z } from 'zod';

const order = z.object({ id: z.string(), amount: z.number() });
const isLarge: TriggerCondition<{ amount: number }> = (input, ctx) => ctx.trigger.index === 0 && input.amount > 1;

export const config = {
  name: 'orders',
  triggers: [
    http('POST', '/orders', { bodySchema: order, middleware: [async ({ request }, _, next) => request.body && next()] }),
    { type: 'queue', topic: 'order.made', input: order, condition: isLarge },
    cron('0 0 9 * * *', () => true),
  ],
  enqueues: ['order.large', { topic: 'x', label: 'X' }],
  virtualEnqueues: ['y'],
} as const satisfies StepConfig;

export const handler: Handlers<typeof config> = async (_, ctx) =>
  ctx.match({
    http: async ({ request, response }) => {
      const amount: number = request.body.amount;
      // @ts-expect-error the body has no such field
      request.body.no;
      response.status(200).headers({ a: 'b' });
      await response.stream(['a', new Uint8Array()]);
      response.stream.write('b');
      await pipeline(Readable.from(['a']), response.stream);
      response.close();
      return { status: 200, body: amount };
    },
    queue: async (data) => {
      const id: string = data.id;
      // @ts-expect-error the data have no such field
      data.no;
      await enqueue({ topic: 'order.large', data: { id } });
      return undefined;
    },
    cron: async () => logger.info('tick'),
  });

const one = { name: 'one', triggers: [http('GET', '/one', { bodySchema: order })] } as const satisfies StepConfig;
export const lone: Handlers<typeof one> = async ({ request }) => ({ status: 200, body: request.body.id.length });
// @ts-expect-error it gets { request, response }
export const early: Handlers<typeof one> = async (request) => ({ status: 200, body: request.body });
const heard = { name: 'two', triggers: [queue('x', { input: order })] } as const satisfies StepConfig;
export const hears: Handlers<typeof heard> = async (data, { is, getData }) => is.queue(data) && data.amount + getData().amount;

export const whole = step({ name: 'w', triggers: [api('GET', '/'), state(), stream('s', { groupId: 'g' })] }, async () => {});
export const many = multiTriggerStep({ name: 'm', triggers: [http('GET', '/m'), queue('m', { input: order })] })
  .onHttp(async ({ request }, ctx) => ({ status: 200, body: [request.method, ctx.traceId] }))
  .onQueue(async (data) => void data.amount.toFixed())
  .handlers();
// @ts-expect-error no such type
export const wrong: StepConfig = { name: 'w', triggers: [{ type: 'mail' }] };
// @ts-expect-error no topic
export const none: StepConfig = { name: 'w', triggers: [{ type: 'queue' }] };

export const streamConfig: StreamConfig = { name: 'todo', schema: jsonSchema(order), baseConfig: { storageType: 'default' } };
export const todos = new Stream<{ text: string }>(streamConfig);
export const names = async ({ request }: MotiaHttpArgs<{ a: 1 }>) => {
  const { old_value, new_value } = await todos.set('g', request.body.a.toFixed(), { text: 'a' });
  const all: { id: string; text: string }[] = await todos.list('g');
  // @ts-expect-error no such field
  await todos.set('g', 'i', { no: 1 });
  await stateManager.update<number>('s', 'k', [{ type: 'increment', path: '', by: 1 }]);
  const set = await stateManager.set('s', 'k', 1);
  return [old_value?.text, new_value, all, set.new_value, await stateManager.listGroups()];
};
export const topics: string[] = getQueueTriggers(config).filter(isQueueTrigger).map(({ topic }) => topic);
