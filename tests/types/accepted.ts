// What a Step may write: every exported type, and what must be refused. Compiled, never run.
import {
  config as motiaConfig,
  defineConfig,
  http,
  jsonSchema,
  step,
  type ApiMiddleware,
  type ApiRequest,
  type ApiResponse,
  type ApiRouteConfig,
  type ApiRouteHandler,
  type ApiRouteMethod,
  type AuthenticateStream,
  type BaseStreamItem,
  type Config,
  type CronConfig,
  type CronHandler,
  type Emit,
  type EmitData,
  type Emitter,
  type EventConfig,
  type EventHandler,
  type FlowContext,
  type HandlerConfig,
  type HandlerInfrastructureConfig,
  type Handlers,
  type InfrastructureConfig,
  type InternalStateManager,
  type IStateStream,
  type Logger,
  type MotiaPlugin,
  type MotiaStream,
  type NoopConfig,
  type PluginBuilder,
  type QueryParam,
  type QueueConfig,
  type RetryConfig,
  type StateStreamEvent,
  type StateStreamEventChannel,
  type StepConfig,
  type StepHandler,
  type StepSchemaInput,
  type StreamAuthConfig,
  type StreamAuthRequest,
  type StreamConfig,
  type StreamSubscription,
  type SetOptions,
  type UpdateOp,
  type UpdateResult,
  type Upload,
  type WorkbenchPlugin,
} from 'motia';
import { z } from 'zod';
import { z as z3 } from 'zod3';

// ---- Configs

const auth: ApiMiddleware = async (req, ctx, next) => {
  if (!req.headers.authorization) return { status: 401, body: { error: 'who are you?' } };
  ctx.logger.info('known', { trace: ctx.traceId });
  return next();
};
const typedAuth: ApiMiddleware<{ name: string }, never, ApiResponse<200, string>> = async (req, _ctx, next) => {
  const name: string = req.body.name;
  const { body } = await next();
  const text: string = body;
  return { status: 200, body: name + text };
};
const bodyAuth: ApiMiddleware<unknown, unknown, { ok: boolean }> = async (_req, _ctx, next) => {
  const ok: boolean = (await next()).body.ok;
  return { status: 200, body: { ok } };
};

export const api: ApiRouteConfig = {
  type: 'api',
  name: 'CreateOrder',
  description: 'text',
  path: '/orders/:id',
  method: 'POST',
  emits: ['order.created', { topic: 'order.failed', label: 'no stock', conditional: true }],
  virtualEmits: ['mail'],
  virtualSubscribes: ['click'],
  flows: ['orders'],
  middleware: [auth, typedAuth, bodyAuth],
  queryParams: [{ name: 'page', description: 'from 1' }],
  bodySchema: z.object({ item: z.string() }),
  responseSchema: { 200: z.object({ id: z.string() }), '404': z3.object({}), 500: { type: 'object' } },
  includeFiles: ['./template.html'],
  validateBody: true,
  infrastructure: { handler: { isolated: true } },
};
export const bodies: ApiRouteConfig[] = [
  { type: 'api', name: 'a', path: '/', method: 'GET' },
  { type: 'api', name: 'a', path: '/', method: 'PUT', emits: [], bodySchema: z3.array(z3.string()) },
  { type: 'api', name: 'a', path: '/', method: 'PATCH', emits: [], bodySchema: { type: 'object', properties: {} } },
];
export const event: EventConfig = {
  type: 'event',
  name: 'Charge',
  subscribes: ['order.*'],
  emits: [],
  middleware: [async (order, { logger }, next) => (order.id ? next() : logger.warn('No id'))],
  input: z.object({ id: z.string() }),
  infrastructure: {
    handler: { ram: 512, cpu: 0.25, timeout: 30, isolated: true },
    queue: { type: 'fifo', maxRetries: 5, visibilityTimeout: 60, delaySeconds: 10, concurrency: 4, concurrencyKey: 'customer.id', rateLimit: '100/m', priority: 3, partitions: 8 },
  },
  retry: { maxAttempts: 3, backoff: 'fixed', delaySeconds: 1, maxDelaySeconds: 60, jitter: true, never: ['CardError'] },
  once: true,
};
export const withoutInput: EventConfig = { type: 'event', name: 'a', subscribes: ['x'], emits: [], input: null };
export const cron: CronConfig = { type: 'cron', name: 'Nightly', cron: '0 3 * * *', timezone: 'Europe/Berlin', emits: ['x'], retry: { backoff: [1, 5, 60] } };
export const noop: NoopConfig = { type: 'noop', name: 'Human', virtualEmits: ['approved'], virtualSubscribes: ['asked'], flows: ['f'] };
export const steps: StepConfig[] = [api, event, cron, noop];
export const stream: StreamConfig = {
  name: 'chat',
  schema: z.object({ id: z.string(), text: z.string() }),
  baseConfig: { storageType: 'default' },
  canAccess: ({ groupId, id }, context) => groupId === context?.userId || id === undefined,
  onJoin: async ({ groupId }, { logger }, context) => {
    logger.info('joined', { groupId });
    return { unauthorized: groupId !== context?.userId };
  },
  onLeave: ({ id }, { state }) => void state.delete('present', id ?? ''),
};
export const constant = {
  type: 'api', name: 'c', path: '/c', method: 'POST', emits: ['a'], flows: ['f'], bodySchema: z.object({ n: z.number() }),
} as const satisfies ApiRouteConfig;

// ---- Handlers

const life: SetOptions = { ttlSeconds: 1 };
void life;
const ops: UpdateOp[] = [
  { type: 'set', path: 'a.b', value: 1 },
  { type: 'merge', value: { c: 2 } },
  { type: 'append', path: ['list'], value: 3 },
  { type: 'increment', path: 'n' },
  { type: 'decrement', path: 'n', by: 2 },
  { type: 'remove', path: 'old' },
];
// @ts-expect-error no such change
const badOp: UpdateOp = { type: 'multiply', path: 'n' };
void badOp;

export const handler: ApiRouteHandler<
  { item: string },
  ApiResponse<200, { id: string }> | ApiResponse<404, { error: string }>,
  { topic: 'order.created'; data: { id: string } }
> = async (req, { emit, logger, state, streams, traceId, flows, runId, attempt, maxAttempts, topic }) => {
  const item: string = req.body.item;
  const id: string = req.pathParams.id ?? '';
  const page: string | string[] | undefined = req.queryParams.page;
  logger.warn('seen', { item, page, raw: req.rawBody, runId, attempt, maxAttempts, topic, flows });
  await emit({ topic: 'order.created', data: { id } });
  await emit({ topic: 'order.created', data: { id }, messageGroupId: id });
  await state.set<{ n: number }>('orders', id, { n: 1 });
  const found: { n: number } | null = await state.get<{ n: number }>('orders', id);
  const all: { n: number }[] = await state.getGroup<{ n: number }>('orders');
  await state.set('orders', id, { n: 2 }, { ttlSeconds: 60 });
  const changed: UpdateResult<{ n: number }> = await state.update<{ n: number }>('orders', id, ops);
  const swapped: boolean = await state.compareAndSet('orders', id, changed.new_value, { n: 3 });
  logger.info('', { swapped, groups: await state.listGroups(), listed: await state.list('orders') });
  await state.delete('orders', id);
  await state.clear('orders');
  await streams.chat.set('inbox', id, { id, text: item });
  await streams.chat.send({ groupId: 'inbox' }, { type: 'typing', data: { user: traceId } });
  if (!found || all.length > 3) return { status: 404, body: { error: 'gone' } };
  return { status: 200, body: { id }, headers: { 'x-a': 'b', 'set-cookie': ['a=1', 'b=2'] } };
};
export const plain: ApiRouteHandler = (req) => ({ status: 200, body: req.body.anything });
export const onEvent: EventHandler<{ id: string }, never> = async (input, { logger }) => logger.debug(input.id);
export const onTick: CronHandler<{ topic: 'x'; data: null }> = async ({ emit }) => emit({ topic: 'x', data: null });
export const unknownStep: Handlers['NotGenerated'] = async (req, { emit }) => {
  await emit({ topic: 'any', data: req.body });
  return { status: 200, body: {} };
};
export const ofConfig: StepHandler<typeof constant> = async (req) => {
  const n: number = req.body.n;
  return { status: 200, body: { n } };
};
export const ofZod3: StepHandler<{ type: 'event'; input: z3.ZodObject<{ n: z3.ZodNumber }> }> = async (input) => {
  const n: number = input.n;
  void n;
};
export const ofTyped: StepHandler<ApiRouteConfig> = async (req) => ({ status: 200, body: req.body.any });
export const ofCron: StepHandler<CronConfig> = async (ctx) => ctx.logger.info(ctx.traceId);
export const anything: StepHandler = (a, b, c) => [a, b, c];

export async function helper(ctx: FlowContext, emit: Emitter, log: Logger, state: InternalStateManager): Promise<void> {
  await ctx.emit({ topic: 'free', data: 1 });
  await emit({ topic: 'free', data: { a: 1 } });
  log.error('text', new Error('fault'));
  await state.set('a', 'b', null);
  const item: any = await ctx.streams.anything?.get('a', 'b');
  void item;
}
export const passesItOn: EventHandler<object, { topic: 'a'; data: 1 }> = async (_, ctx) => helper(ctx, ctx.emit, ctx.logger, ctx.state);
export const passesNothingOn: EventHandler<object, never> = async (_, ctx) => helper(ctx, ctx.emit, ctx.logger, ctx.state);
export const messages: MotiaStream<{ text: string }> = {} as IStateStream<{ text: string }>;
export const item: Promise<BaseStreamItem<{ text: string }> | null> = messages.get('a', 'b').then((found) => found && { id: found.id, text: found.text });
export const others: [Emit, EmitData, ApiRouteMethod, QueryParam, QueueConfig, HandlerConfig, InfrastructureConfig, HandlerInfrastructureConfig, RetryConfig] = [
  'a', { topic: 'a', data: 1 }, 'GET', { name: 'a', description: '' }, {}, {}, {}, {}, {},
];
export const parts: [StateStreamEventChannel, StateStreamEvent<number>, StreamSubscription, StepSchemaInput] = [
  { groupId: 'a', id: 'b' }, { type: 'a', data: 1 }, { groupId: 'a' }, { type: 'string' },
];
export const upload = (req: ApiRequest<string>): Upload | Upload[] | undefined => req.files?.picture;

// ---- motia.config.ts and helpers

export const panel: WorkbenchPlugin = { packageName: '~/plugins', label: 'Mine', position: 'top' };
export const plugin: PluginBuilder = (): MotiaPlugin => ({ workbench: [panel] });
export const streamAuth: StreamAuthConfig<{ userId: string }> = {
  contextSchema: z.object({ userId: z.string() }),
  authenticate: async ({ headers, url }: StreamAuthRequest) => (headers.cookie ? { userId: url ?? '' } : null),
};
export const settings: Config = { redis: { useMemoryServer: true }, streamAuth };
export const authenticateStream: AuthenticateStream = async ({ queryParams }, { logger }) => {
  logger.info('A client', queryParams.token);
  return { context: { userId: 'ann' } };
};
defineConfig({ middleware: [async (req, ctx, next) => ({ ...(await next()), headers: { by: ctx.traceId } })] });
export default motiaConfig({ plugins: [plugin], redis: { host: 'localhost', port: 6379 } });
defineConfig({ app: (express) => express.use(() => undefined) });
step(constant, ofConfig);
http('GET', '/', { bodySchema: jsonSchema(z.string()) });

// ---- Refused

// @ts-expect-error a path is missing
export const noPath: ApiRouteConfig = { type: 'api', name: 'a', method: 'GET', emits: [] };
// @ts-expect-error no such method
export const badMethod: ApiRouteConfig = { type: 'api', name: 'a', path: '/', method: 'FETCH', emits: [] };
// @ts-expect-error no such key
export const misspelt: ApiRouteConfig = { type: 'api', name: 'a', path: '/', method: 'GET', emit: [] };
// @ts-expect-error a schema is an object
export const badSchema: ApiRouteConfig = { type: 'api', name: 'a', path: '/', method: 'GET', bodySchema: 'string' };
// @ts-expect-error no topic
export const badEmit: EventConfig = { type: 'event', name: 'a', subscribes: ['x'], emits: [{ label: 'x' }] };
// @ts-expect-error topics are a list
export const badSubscribes: EventConfig = { type: 'event', name: 'a', subscribes: 'x', emits: [] };
// @ts-expect-error no such kind of queue
export const badQueue: EventConfig = { type: 'event', name: 'a', subscribes: ['x'], infrastructure: { queue: { type: 'lifo' } } };
// @ts-expect-error no such growth
export const badRetry: CronConfig = { type: 'cron', name: 'a', cron: '@daily', retry: { backoff: 'linear' } };
// @ts-expect-error retries belong to the queue
export const badHandlerConfig: EventConfig = { type: 'event', name: 'a', subscribes: ['x'], infrastructure: { handler: { maxRetries: 1 } } };
// @ts-expect-error an expression is missing
export const noCron: CronConfig = { type: 'cron', name: 'a', emits: [] };
// @ts-expect-error a noop has no handler to be configured
export const badNoop: NoopConfig = { type: 'noop', name: 'a', subscribes: ['x'] };
// @ts-expect-error no such type
export const badType: StepConfig = { type: 'queue', name: 'a' };
// @ts-expect-error a name is missing
export const noName: StreamConfig = { schema: { type: 'object' }, baseConfig: { storageType: 'default' } };
// @ts-expect-error no status
export const noStatus: ApiRouteHandler = async () => ({ body: {} });
// @ts-expect-error another status
export const wrongStatus: ApiRouteHandler<unknown, ApiResponse<200, string>> = async () => ({ status: 201, body: 'a' });
// @ts-expect-error another body
export const wrongBody: ApiRouteHandler<unknown, ApiResponse<200, string>> = async () => ({ status: 200, body: 1 });
// @ts-expect-error the body has no such field
export const wrongField: ApiRouteHandler<{ item: string }> = async (req) => ({ status: 200, body: req.body.itme });
// @ts-expect-error no such topic
export const wrongTopic: EventHandler<object, { topic: 'a'; data: 1 }> = async (_, { emit }) => emit({ topic: 'b', data: 1 });
// @ts-expect-error other data
export const wrongData: EventHandler<object, { topic: 'a'; data: 1 }> = async (_, { emit }) => emit({ topic: 'a', data: 2 });
// @ts-expect-error it emits nothing
export const emitsNothing: EventHandler<object, never> = async (_, { emit }) => emit({ topic: 'a', data: 1 });
// @ts-expect-error no topic
export const noTopic: EventHandler<object> = async (_, { emit }) => emit({ data: 1 });
// @ts-expect-error the context comes alone
export const wrongCron: CronHandler = async (_input, ctx) => ctx.logger.info('');
// @ts-expect-error the schema says number
export const wrongInferred: StepHandler<typeof constant> = async (req) => ({ status: 200, body: req.body.n.length });
// @ts-expect-error no such member
export const wrongMember: CronHandler = async (ctx) => ctx.sate.clear('a');
// @ts-expect-error a middleware answers with a response
export const wrongMiddleware: ApiMiddleware = async () => 'text';
