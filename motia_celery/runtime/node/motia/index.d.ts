// Types of what a Step may import from 'motia'.
/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-empty-object-type */

type IsAny<T> = 0 extends 1 & T ? true : false;

// ---- Configs

/** An element of `emits`. The label and `conditional` only draw the graph. */
export type Emit = string | { topic: string; label?: string; conditional?: boolean };

/** A schema of zod 3 or 4, of another library that gives JSON Schema, or JSON Schema itself. */
export type StepSchemaInput = object;

export type ApiRouteMethod = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'HEAD';

export interface QueryParam {
  name: string;
  description?: string;
}

interface BaseConfig {
  name: string;
  description?: string;
  /** The graphs that show the Step. */
  flows?: readonly string[];
  virtualEmits?: readonly Emit[];
  virtualSubscribes?: readonly string[];
  includeFiles?: readonly string[];
}

export interface HandlerConfig {
  /** Seconds that one attempt may take. */
  timeout?: number;
  /** Runs the handler in processes of its own, where it may compute for long. */
  isolated?: boolean;
  ram?: number;
  cpu?: number;
}

/** `infrastructure` of a Step without a queue of events. */
export interface HandlerInfrastructureConfig {
  handler?: HandlerConfig;
}

/** Times are seconds; limits count in all workers together. */
export interface QueueConfig {
  type?: 'standard' | 'fifo';
  /** Tries after the first one. */
  maxRetries?: number;
  visibilityTimeout?: number;
  delaySeconds?: number;
  concurrency?: number;
  /** A path into the data, such as `customer.id`: each of its values has its own `concurrency`. */
  concurrencyKey?: string;
  /** Such as `100/m`. */
  rateLimit?: string;
  /** 0 to 9. */
  priority?: number;
  /** How many groups of a `fifo` queue run at once. */
  partitions?: number;
}

/** `infrastructure` of an event Step. */
export interface InfrastructureConfig extends HandlerInfrastructureConfig {
  queue?: QueueConfig;
}

/** Which errors are tried again, how often, and after how many seconds. */
export interface RetryConfig {
  maxAttempts?: number;
  /** How the waits grow, or the waits themselves. */
  backoff?: 'exponential' | 'fixed' | readonly number[];
  delaySeconds?: number;
  maxDelaySeconds?: number;
  /** The largest part of a wait that is taken off at random. */
  jitter?: boolean | number;
  /** The names of the only errors to try again. */
  on?: readonly string[];
  /** The names of errors that are not tried again. */
  never?: readonly string[];
}

export interface ApiRouteConfig extends BaseConfig {
  type: 'api';
  /** As in Express 4: `/orders/:id`. */
  path: string;
  method: ApiRouteMethod;
  /** Topics that the Step may emit; none given: any. */
  emits?: readonly Emit[];
  /** Outermost first. */
  middleware?: readonly ApiMiddleware<any, any, any>[];
  queryParams?: readonly QueryParam[];
  bodySchema?: StepSchemaInput | null;
  /** By status. */
  responseSchema?: Readonly<Record<string | number, StepSchemaInput>>;
  /** `true`: a body that does not fit `bodySchema` gets a 400. */
  validateBody?: boolean;
  infrastructure?: HandlerInfrastructureConfig | null;
}

export interface EventConfig extends BaseConfig {
  type: 'event';
  /** Topics or patterns: `order.*`, `order.#`. */
  subscribes: readonly string[];
  emits?: readonly Emit[];
  input?: StepSchemaInput | null;
  /** Outermost first. */
  middleware?: readonly EventMiddleware[];
  infrastructure?: InfrastructureConfig | null;
  retry?: RetryConfig;
  /** Runs once for each event, even if that is delivered twice. */
  once?: boolean;
  /** What becomes of an event that does not fit `input`; without it the setting decides. */
  eventSchema?: 'warn' | 'reject' | 'refuse';
}

export interface CronConfig extends BaseConfig {
  type: 'cron';
  /** 5 fields, 6 with seconds first, 7 with the year last. */
  cron: string;
  /** An IANA name, such as `Europe/Berlin`. */
  timezone?: string;
  emits?: readonly Emit[];
  infrastructure?: HandlerInfrastructureConfig | null;
  retry?: RetryConfig;
}

/** A Step that is only drawn. */
export interface NoopConfig extends BaseConfig {
  type: 'noop';
}

/** Runs only where it gives true. */
export type TriggerCondition<TInput = any> = (
  input: TInput,
  ctx: FlowContext<any>,
) => boolean | Promise<boolean>;

export interface HttpTriggerOptions {
  queryParams?: readonly QueryParam[];
  bodySchema?: StepSchemaInput | null;
  /** By status. */
  responseSchema?: Readonly<Record<string | number, StepSchemaInput>>;
  /** Outermost first. */
  middleware?: readonly TriggerMiddleware[];
  /** `true`: a body that does not fit `bodySchema` gets a 400. */
  validateBody?: boolean;
  condition?: TriggerCondition;
}

export interface QueueTriggerOptions {
  input?: StepSchemaInput | null;
  /** Of the Step's queue; `backoffDelayMs` is the wait before a failed run is tried again. */
  config?: QueueConfig & { backoffType?: 'exponential' | 'fixed'; backoffDelayMs?: number };
  condition?: TriggerCondition;
}

export interface StreamTriggerOptions {
  groupId?: string;
  itemId?: string;
  condition?: TriggerCondition;
}

export interface HttpTrigger extends HttpTriggerOptions {
  type: 'http' | 'api';
  method: ApiRouteMethod;
  path: string;
}

export interface QueueTrigger extends QueueTriggerOptions {
  type: 'queue' | 'event';
  /** A topic or a pattern: `order.*`, `order.#`. */
  topic: string;
}

export interface CronTrigger {
  type: 'cron';
  /** 5 fields, 6 with seconds first, 7 with the year last. */
  expression: string;
  /** An IANA name, such as `Europe/Berlin`. */
  timezone?: string;
  condition?: TriggerCondition;
}

export interface StateTrigger {
  type: 'state';
  condition?: TriggerCondition;
}

export interface StreamTrigger extends StreamTriggerOptions {
  type: 'stream';
  streamName: string;
}

export type TriggerConfig = HttpTrigger | QueueTrigger | CronTrigger | StateTrigger | StreamTrigger;

/** A Step that several things start, as in Motia 1.0. */
export interface TriggersConfig extends BaseConfig {
  triggers: readonly TriggerConfig[];
  /** Topics that the Step may emit; none given: any. */
  enqueues?: readonly Emit[];
  virtualEnqueues?: readonly Emit[];
  infrastructure?: HandlerInfrastructureConfig | null;
  retry?: RetryConfig;
  /** Runs once for each event, even if that is delivered twice. */
  once?: boolean;
  /** What becomes of an event that does not fit `input`; without it the setting decides. */
  eventSchema?: 'warn' | 'reject' | 'refuse';
}

export type StepConfig = ApiRouteConfig | EventConfig | CronConfig | NoopConfig | TriggersConfig;

// ---- Requests and responses

/** An uploaded file. */
export interface Upload {
  filename: string;
  contentType: string;
  content: Uint8Array;
  size: number;
}

export interface ApiRequest<TBody = unknown> {
  pathParams: Record<string, string>;
  queryParams: Record<string, string | string[]>;
  body: TBody;
  headers: Record<string, string | string[]>;
  rawBody?: string;
  /** Those of a `multipart/form-data` body, by field. */
  files?: Record<string, Upload | Upload[]>;
}

export interface ApiResponse<TStatus extends number = number, TBody = any> {
  status: TStatus;
  body: TBody;
  /** A list becomes several headers of the same name. */
  headers?: Record<string, string | string[]>;
}

/** What a handler of a list of triggers gets of a request. */
export interface MotiaHttpRequest<TBody = any> extends ApiRequest<TBody> {
  method: string;
  path: string;
  /** The body of a request with text, JSON or a form. */
  requestBody: { stream: AsyncIterable<Uint8Array> };
}

/** The body of a response in parts; called, it writes all that a source gives. */
export interface ResponseStream extends NodeJS.WritableStream {
  (source: ResponseSource | ((stream: ResponseStream) => unknown)): Promise<void>;
}

type ResponsePart = string | Uint8Array;
type ResponseSource = ResponsePart | Iterable<ResponsePart> | AsyncIterable<ResponsePart>;

/** A response that a handler writes instead of returning one. */
export interface MotiaHttpResponse {
  status(code: number): MotiaHttpResponse;
  headers(headers: Record<string, string | readonly string[]>): MotiaHttpResponse;
  stream: ResponseStream;
  close(): void;
}

export interface MotiaHttpArgs<TBody = any> {
  request: MotiaHttpRequest<TBody>;
  response: MotiaHttpResponse;
}

type ResponseOf<TResult> = IsAny<TResult> extends true
  ? ApiResponse
  : [TResult] extends [ApiResponse]
    ? TResult
    : ApiResponse<number, TResult>;

/** Runs before the handler; `next()` gives the response of what is inside. */
export type ApiMiddleware<TBody = any, TEmit = EmitData, TResult = any> = (
  req: ApiRequest<TBody>,
  ctx: FlowContext<TEmit>,
  next: () => Promise<ResponseOf<TResult>>,
) => Promise<ResponseOf<TResult>> | ResponseOf<TResult>;

/** Runs before the handler of an event Step, with its data; `next()` gives what the handler returns. */
export type EventMiddleware = (input: any, ctx: FlowContext<any>, next: () => Promise<any>) => any;

/** Runs before the handler of an http trigger; `next()` gives the response of what is inside. */
export type TriggerMiddleware = (
  args: MotiaHttpArgs,
  ctx: FlowContext<any>,
  next: () => Promise<any>,
) => any;

// ---- The context

export type TriggerKind = 'http' | 'queue' | 'cron' | 'state' | 'stream';

/** What started a run, and where it stands in the config. */
export interface TriggerInfo {
  type: TriggerKind;
  index: number;
  path?: string;
  method?: string;
  topic?: string;
  expression?: string;
}

type HttpInput<TInput> = IsAny<TInput> extends true ? any : Extract<TInput, MotiaHttpArgs<any>>;
type OtherInput<TInput> = IsAny<TInput> extends true
  ? any
  : Exclude<TInput, MotiaHttpArgs<any> | undefined>;

/** A function for each kind of trigger; each gets what the handler gets. */
export interface MatchHandlers<TInput, TContext> {
  http?: (args: HttpInput<TInput>, ctx: TContext) => unknown;
  queue?: (input: OtherInput<TInput>, ctx: TContext) => unknown;
  cron?: (...args: any[]) => unknown;
  state?: (input: any, ctx: TContext) => unknown;
  stream?: (input: any, ctx: TContext) => unknown;
  default?: (input: any, ctx: TContext) => unknown;
}

export interface Logger {
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
  debug(message: string, data?: unknown): void;
}

type Path = string | readonly string[];

/** A change of a part of a value; `path` is `a.b`, or its parts. */
export type UpdateOp =
  | { type: 'set'; path: Path; value: unknown }
  | { type: 'merge'; path?: Path; value: Record<string, unknown> }
  | { type: 'append'; path?: Path; value: unknown }
  | { type: 'increment' | 'decrement'; path: Path; by?: number }
  | { type: 'remove'; path: Path };

export interface UpdateResult<T = any> {
  old_value: T | null;
  new_value: T | null;
}

export interface SetOptions {
  /** The key is gone after so many seconds. */
  ttlSeconds?: number;
}

/** Values by group and key, shared by every Step and process. */
export interface InternalStateManager {
  get<T = any>(groupId: string, key: string): Promise<T | null>;
  set<T = any>(groupId: string, key: string, value: T, options?: SetOptions): Promise<T>;
  /** Changes parts of the value at once, whoever else does so. */
  update<T = any>(groupId: string, key: string, ops: readonly UpdateOp[]): Promise<UpdateResult<T>>;
  /** Sets the value if it is the expected one, and tells whether it was. */
  compareAndSet(
    groupId: string,
    key: string,
    expected: unknown,
    value: unknown,
    options?: SetOptions,
  ): Promise<boolean>;
  delete<T = any>(groupId: string, key: string): Promise<T | null>;
  getGroup<T = any>(groupId: string): Promise<T[]>;
  list<T = any>(groupId: string): Promise<T[]>;
  listGroups(): Promise<string[]>;
  clear(groupId: string): Promise<void>;
}

/** An event to be published. */
/** What an emit may ask for beside its topic and data. */
export interface EmitOptions {
  /** Events of one group are handled in order by Steps whose queue is `fifo`. */
  messageGroupId?: string;
  /** Seconds to wait before it is sent, at most 30 days. */
  delay?: number;
  /** When it is sent: a date, ISO text with a time zone, or epoch milliseconds. */
  at?: Date | string | number;
  /** 0 to 9; of a queue's events those from 5 on are delivered first (RabbitMQ 4.0). */
  priority?: number;
  /** An idempotency key: an event of this topic that was sent with it is not sent again. */
  id?: string;
  /** Stores the event first, and sends it even if the broker is away for now. */
  outbox?: boolean;
}

/** Changes of state, and events, that are stored together or not at all. */
export interface Transaction<TEmit = EmitData> {
  state: Pick<InternalStateManager, 'set' | 'delete'>;
  emit: Emitter<TEmit>;
}

export interface EmitData<TData = any> extends EmitOptions {
  topic: string;
  data: TData;
}

/** Publishes events `{ topic, data }` of the given type; `never` publishes nothing. */
export type Emitter<TEmit = EmitData> = {
  // Written as a method, so that a helper or a middleware fits Steps that emit other events.
  // True once it is sent, false where it is dropped; Motia's own type is a promise of nothing.
  emit(event: TEmit & EmitOptions): Promise<any>;
}['emit'];

/** Where a task goes, and when. */
export interface SendTaskOptions {
  args?: readonly unknown[];
  kwargs?: Record<string, unknown>;
  /** `celery` by default. */
  queue?: string;
  exchange?: string;
  routingKey?: string;
  /** Seconds until a worker begins it. */
  countdown?: number;
  /** When a worker begins it: a date, ISO text with a time zone, or epoch milliseconds. */
  eta?: Date | string | number;
  /** When it is dropped: seconds from now, or a date or ISO text. */
  expires?: Date | string | number;
  priority?: number;
  taskId?: string;
}

/** Other Celery apps on the same RabbitMQ. */
export interface CeleryApps {
  /** Sends a task, and gives its id; once awaited, it is in the queue. */
  sendTask(name: string, options?: SendTaskOptions): Promise<string>;
}

export interface FlowContext<TEmit = EmitData, TInput = any> {
  /** Publishes an event; once awaited, it is confirmed. */
  emit: Emitter<TEmit>;
  /** The same, by Motia 1.0's name. */
  enqueue: Emitter<TEmit>;
  trigger: TriggerInfo;
  /** Whether this started the run. */
  is: {
    http(input?: TInput): input is HttpInput<TInput>;
    queue(input?: TInput): input is OtherInput<TInput>;
    cron(input?: TInput): boolean;
    state(input?: TInput): boolean;
    stream(input?: TInput): boolean;
  };
  /** The body of the request, or the event's data. */
  getData(): any;
  /** What the function for the run's trigger gives. */
  match<TResult = any>(handlers: MatchHandlers<TInput, FlowContext<TEmit, TInput>>): Promise<TResult>;
  /** Stores what `work` asks for in one step once it has ended; sends its events soon after. */
  transaction<T>(work: (tx: Transaction<TEmit>) => T | Promise<T>): Promise<T>;
  state: InternalStateManager;
  streams: Streams;
  celery: CeleryApps;
  logger: Logger;
  /** Shared by all the runs from one cause. */
  traceId: string;
  flows: string[];
  /** The same on every attempt. */
  runId: string;
  /** From 1. */
  attempt: number;
  maxAttempts: number;
  /** Of the event that started the run. */
  topic?: string;
}

// ---- Streams

export type BaseStreamItem<TData = any> = TData & {
  id: string;
  __motia?: { type: 'state-stream'; streamName: string; groupId: string; id: string };
};

export type StateStreamEventChannel = { groupId: string; id?: string };

export type StateStreamEvent<TData = any> = { type: string; data: TData };

export type StreamSubscription = { groupId: string; id?: string };

/** A live stream: items by group and id, whose changes clients see. */
export interface MotiaStream<TData = any> {
  get(groupId: string, id: string): Promise<BaseStreamItem<TData> | null>;
  set(groupId: string, id: string, data: TData): Promise<BaseStreamItem<TData>>;
  delete(groupId: string, id: string): Promise<BaseStreamItem<TData> | null>;
  getGroup(groupId: string): Promise<BaseStreamItem<TData>[]>;
  list(groupId: string): Promise<BaseStreamItem<TData>[]>;
  listGroups(): Promise<string[]>;
  update(
    groupId: string,
    id: string,
    ops: readonly UpdateOp[],
  ): Promise<UpdateResult<BaseStreamItem<TData>>>;
  /** Reaches those who are connected, and is not kept. */
  send<T = any>(channel: StateStreamEventChannel, event: StateStreamEvent<T>): Promise<void>;
}

export type IStateStream<TData = any> = MotiaStream<TData>;

/** The project's streams; its `types.d.ts` fills it in. */
export interface FlowContextStateStreams {}

type Streams = [keyof FlowContextStateStreams] extends [never]
  ? Record<string, MotiaStream>
  : FlowContextStateStreams;

/** What `authenticate` gives; the project's `types.d.ts` fills it in. */
export interface StreamAuthContext {}

type AuthContext = [keyof StreamAuthContext] extends [never] ? any : StreamAuthContext | null;

export interface StreamConfig {
  name: string;
  schema?: StepSchemaInput | null;
  baseConfig?: { storageType: 'default' } | { storageType: 'custom'; factory: () => any };
  /** Whether a client may subscribe. */
  canAccess?: (
    subscription: StreamSubscription,
    authContext: AuthContext,
  ) => boolean | Promise<boolean>;
  /** Whether a client may subscribe: not if it throws, or gives `{ unauthorized: true }`. */
  onJoin?: (
    subscription: StreamSubscription,
    context: FlowContext<any>,
    authContext: AuthContext,
  ) => StreamJoinResult | void | Promise<StreamJoinResult | void>;
  /** Hears that a client has left. */
  onLeave?: (
    subscription: StreamSubscription,
    context: FlowContext<any>,
    authContext: AuthContext,
  ) => void | Promise<void>;
}

export interface StreamJoinResult {
  unauthorized: boolean;
}

// ---- Handlers

export type ApiRouteHandler<TBody = any, TResult = ApiResponse, TEmit = EmitData> = (
  req: ApiRequest<TBody>,
  ctx: FlowContext<TEmit>,
) => Promise<TResult> | TResult;

export type EventHandler<TInput = any, TEmit = EmitData> = (
  input: TInput,
  ctx: FlowContext<TEmit>,
) => Promise<void> | void;

export type CronHandler<TEmit = EmitData> = (ctx: FlowContext<TEmit>) => Promise<void> | void;

type Described<TSchema> = TSchema extends { readonly _input: infer T }
  ? T
  : TSchema extends { readonly '~standard': { readonly types?: { readonly input: infer T } | undefined } }
    ? T
    : any;

type BodyOf<TConfig> = TConfig extends { bodySchema?: infer TSchema } ? Described<NonNullable<TSchema>> : any;
type InputOf<TConfig> = TConfig extends { input?: infer TSchema } ? Described<NonNullable<TSchema>> : any;

/** The handler of a config: `StepHandler<typeof config>`; without one, any function. */
export type StepHandler<TConfig = any> = IsAny<TConfig> extends true
  ? (...args: any[]) => any
  : TConfig extends { type: 'api' }
    ? ApiRouteHandler<BodyOf<TConfig>>
    : TConfig extends { type: 'event' }
      ? EventHandler<InputOf<TConfig>>
      : TConfig extends { type: 'cron' }
        ? CronHandler
        : TConfig extends { triggers: readonly (infer TTrigger)[] }
          ? TriggersHandler<InputOfTrigger<TTrigger>>
          : never;

type InputOfTrigger<TTrigger> = TTrigger extends { type: 'http' | 'api' }
  ? MotiaHttpArgs<BodyOf<TTrigger>>
  : TTrigger extends { type: 'queue' | 'event' }
    ? InputOf<TTrigger>
    : TTrigger extends { type: 'cron' }
      ? undefined
      : any;

/** The handler of a list of triggers. */
export type TriggersHandler<TInput = any> = (input: TInput, ctx: FlowContext<EmitData, TInput>) => any;

/** The handlers by their Steps' names; the project's `types.d.ts` fills them in. */
export interface HandlersByName {
  [step: string]: StepHandler;
}

/** `Handlers['name']`, of the project's `types.d.ts`, or `Handlers<typeof config>`. */
export type Handlers<TConfig = never> = [TConfig] extends [never] ? HandlersByName : StepHandler<TConfig>;

// ---- motia.config.ts

export interface StreamAuthRequest {
  headers: Record<string, string | string[] | undefined>;
  url?: string;
}

export interface StreamAuthConfig<TContext = any> {
  contextSchema?: StepSchemaInput;
  authenticate(request: StreamAuthRequest): TContext | null | Promise<TContext | null>;
}

export interface WorkbenchPlugin {
  packageName: string;
  componentName?: string;
  label?: string;
  labelIcon?: string;
  position?: 'top' | 'bottom';
  cssImports?: string[];
  props?: Record<string, any>;
}

export interface MotiaPlugin {
  workbench: WorkbenchPlugin[];
  dirname?: string;
  steps?: string[];
  onShutdown?: () => Promise<void> | void;
}

export type MotiaPluginContext = any;
export type PluginBuilder = (context: MotiaPluginContext) => MotiaPlugin;

/** A client of streams, as Motia 1.0 tells of it. */
export interface StreamAuthInput {
  headers: Record<string, string | string[]>;
  path: string;
  queryParams: Record<string, string[]>;
  addr: string;
}

/** Who a client of streams is: `context` goes to the streams' hooks. */
export type AuthenticateStream<TContext = any> = (
  input: StreamAuthInput,
  context: FlowContext<any>,
) => Promise<{ context?: TContext } | null | undefined> | { context?: TContext } | null | undefined;

export interface Config {
  /** Around every API Step, outside of its own; outermost first. */
  middleware?: readonly ApiMiddleware<any, any, any>[];
  app?: (app: any) => void;
  plugins?: readonly PluginBuilder[];
  adapters?: { state?: any; streams?: any; events?: any; cron?: any };
  streamAuth?: StreamAuthConfig;
  redis?:
    | { useMemoryServer: true }
    | {
        useMemoryServer?: false;
        host: string;
        port: number;
        username?: string;
        password?: string;
        db?: number;
      };
}

export function config<TConfig extends Config>(config: TConfig): TConfig;
export function defineConfig<TConfig extends Config>(config: TConfig): TConfig;

// ---- Helpers

export function http<TBody extends StepSchemaInput>(
  method: ApiRouteMethod,
  path: string,
  options?: HttpTriggerOptions & { bodySchema?: TBody | null },
  condition?: TriggerCondition,
): HttpTrigger & { type: 'http'; bodySchema?: TBody };
export const api: typeof http;
export function queue<TData extends StepSchemaInput>(
  topic: string,
  options?: QueueTriggerOptions & { input?: TData | null },
  condition?: TriggerCondition,
): QueueTrigger & { type: 'queue'; input?: TData };
export function cron(expression: string, condition?: TriggerCondition): CronTrigger;
export function state(condition?: TriggerCondition): StateTrigger;
export function stream(
  streamName: string,
  options?: StreamTriggerOptions | TriggerCondition,
  condition?: TriggerCondition,
): StreamTrigger;

/** A config and its handler: `export const { config, handler } = step(…)`. */
export interface StepDefinition<TConfig = any, THandler = any> {
  config: TConfig;
  handler: THandler;
}

export function step<const TConfig extends StepConfig, THandler extends StepHandler<TConfig>>(
  config: TConfig,
  handler?: THandler,
): StepDefinition<TConfig, THandler>;

/** Collects a handler for each kind of trigger; `handlers()` makes the Step of them. */
export interface MultiTriggerStep<TConfig = any, TInput = any> {
  config: TConfig;
  onHttp(handler: TriggersHandler<HttpInput<TInput>>): MultiTriggerStep<TConfig, TInput>;
  onApi(handler: TriggersHandler<HttpInput<TInput>>): MultiTriggerStep<TConfig, TInput>;
  onQueue(handler: TriggersHandler<OtherInput<TInput>>): MultiTriggerStep<TConfig, TInput>;
  onCron(handler: (...args: any[]) => any): MultiTriggerStep<TConfig, TInput>;
  onState(handler: TriggersHandler): MultiTriggerStep<TConfig, TInput>;
  onStream(handler: TriggersHandler): MultiTriggerStep<TConfig, TInput>;
  handlers(byKind?: { [kind in TriggerKind]?: (...args: any[]) => any }): StepDefinition<TConfig>;
}

type InputOfConfig<TConfig> = TConfig extends { triggers: readonly (infer TTrigger)[] }
  ? InputOfTrigger<TTrigger>
  : any;

export function multiTriggerStep<const TConfig extends TriggersConfig>(
  config: TConfig,
): MultiTriggerStep<TConfig, InputOfConfig<TConfig>>;

/** These four belong to the run that is under way. */
export const enqueue: Emitter;
export const logger: Logger;
export const stateManager: Omit<InternalStateManager, 'set' | 'compareAndSet'> & {
  /** Sets the value, and gives the old one and the new one. */
  set<T = any>(scope: string, key: string, value: T): Promise<UpdateResult<T>>;
};

export class Stream<TData = any> {
  constructor(config: StreamConfig | string);
  readonly name: string;
  readonly config: StreamConfig | string;
  get(groupId: string, id: string): Promise<BaseStreamItem<TData> | null>;
  set(groupId: string, id: string, data: TData): Promise<UpdateResult<BaseStreamItem<TData>>>;
  update(
    groupId: string,
    id: string,
    ops: readonly UpdateOp[],
  ): Promise<UpdateResult<BaseStreamItem<TData>>>;
  delete(groupId: string, id: string): Promise<BaseStreamItem<TData> | null>;
  list(groupId: string): Promise<BaseStreamItem<TData>[]>;
  getGroup(groupId: string): Promise<BaseStreamItem<TData>[]>;
  listGroups(): Promise<string[]>;
  send<T = any>(channel: StateStreamEventChannel, event: StateStreamEvent<T>): Promise<void>;
}

type Listed = TriggersConfig | { config: TriggersConfig };

export function isHttpTrigger(trigger: TriggerConfig): trigger is HttpTrigger;
export function isApiTrigger(trigger: TriggerConfig): trigger is HttpTrigger;
export function isQueueTrigger(trigger: TriggerConfig): trigger is QueueTrigger;
export function isCronTrigger(trigger: TriggerConfig): trigger is CronTrigger;
export function isStateTrigger(trigger: TriggerConfig): trigger is StateTrigger;
export function isStreamTrigger(trigger: TriggerConfig): trigger is StreamTrigger;
export function getHttpTriggers(step: Listed): HttpTrigger[];
export function getApiTriggers(step: Listed): HttpTrigger[];
export function getQueueTriggers(step: Listed): QueueTrigger[];
export function getCronTriggers(step: Listed): CronTrigger[];
export function getStateTriggers(step: Listed): StateTrigger[];
export function getStreamTriggers(step: Listed): StreamTrigger[];

/** The schema, which is turned into JSON Schema where it is read. */
export function jsonSchema<TSchema>(schema: TSchema): TSchema;

export {};
