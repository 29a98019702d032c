// Types of what a Step may import from 'motia'.
/* eslint-disable @typescript-eslint/no-explicit-any */

export type Emit = string | { topic: string; label?: string; conditional?: boolean };
export type ApiRouteMethod = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'HEAD';

export interface QueryParam {
  name: string;
  description: string;
}

export interface ApiRequest<TBody = unknown> {
  pathParams: Record<string, string>;
  queryParams: Record<string, string | string[]>;
  body: TBody;
  headers: Record<string, string | string[]>;
  rawBody?: string;
}

export interface ApiResponse<TStatus extends number = number, TBody = any> {
  status: TStatus;
  body: TBody;
  headers?: Record<string, string | string[]>;
}

export interface Logger {
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
  debug(message: string, data?: unknown): void;
}

export interface State {
  get<T = any>(groupId: string, key: string): Promise<T | null>;
  set<T = any>(groupId: string, key: string, value: T): Promise<T>;
  delete<T = any>(groupId: string, key: string): Promise<T | null>;
  getGroup<T = any>(groupId: string): Promise<T[]>;
  clear(groupId: string): Promise<void>;
}
export type InternalStateManager = State;

export interface EmitData<TData = any> {
  topic: string;
  data: TData;
  messageGroupId?: string;
  /** Seconds to wait before it is sent, at most 30 days. */
  delay?: number;
  /** When it is sent: a date, ISO text with a time zone, or epoch milliseconds. */
  at?: Date | string | number;
  /** 0 to 9; of a queue's events those from 5 on are delivered first (RabbitMQ 4.0). */
  priority?: number;
  /** An idempotency key: an event of this topic that was sent with it is not sent again. */
  id?: string;
}

// Projects add their streams by `declare module 'motia'`.
export interface FlowContextStateStreams {}

export interface FlowContext<TEmit = any> {
  emit(event: [TEmit] extends [never] ? never : TEmit extends object ? TEmit : EmitData): Promise<boolean>;
  state: State;
  streams: FlowContextStateStreams;
  logger: Logger;
  traceId: string;
  flows: string[];
  runId: string;
  attempt: number;
  maxAttempts: number;
  topic?: string;
}

export type ApiMiddleware<TBody = any, TEmit = any, TResult = any> = (
  req: ApiRequest<TBody>,
  ctx: FlowContext<TEmit>,
  next: () => Promise<ApiResponse<number, TResult>>,
) => Promise<ApiResponse<number, TResult>>;

interface BaseConfig {
  name: string;
  description?: string;
  flows?: string[];
  virtualEmits?: Emit[];
  virtualSubscribes?: string[];
  includeFiles?: string[];
}

export interface ApiRouteConfig extends BaseConfig {
  type: 'api';
  path: string;
  method: ApiRouteMethod;
  emits?: Emit[];
  middleware?: ApiMiddleware<any, any, any>[];
  queryParams?: QueryParam[];
  bodySchema?: any;
  responseSchema?: Record<string | number, any>;
}

export interface EventConfig extends BaseConfig {
  type: 'event';
  subscribes: string[];
  emits?: Emit[];
  input?: any;
  infrastructure?: {
    handler?: { ram?: number; timeout?: number; cpu?: number };
    queue?: {
      type?: 'standard' | 'fifo';
      maxRetries?: number;
      visibilityTimeout?: number;
      delaySeconds?: number;
      concurrency?: number;
    };
  };
}

export interface CronConfig extends BaseConfig {
  type: 'cron';
  cron: string;
  emits?: Emit[];
}

export interface NoopConfig extends BaseConfig {
  type: 'noop';
}

export type StepConfig = ApiRouteConfig | EventConfig | CronConfig | NoopConfig;

export interface StreamConfig {
  name: string;
  schema?: any;
  baseConfig: { storageType: 'default' } | { storageType: 'custom'; factory: () => any };
  canAccess?: (subscription: { groupId: string; id?: string }, authContext: any) => boolean | Promise<boolean>;
}

export type ApiRouteHandler<TBody = any, TResult = any, TEmit = any> = (
  req: ApiRequest<TBody>,
  ctx: FlowContext<TEmit>,
) => Promise<TResult> | TResult;
export type EventHandler<TInput = any, TEmit = any> = (
  input: TInput,
  ctx: FlowContext<TEmit>,
) => Promise<void> | void;
export type CronHandler<TEmit = any> = (ctx: FlowContext<TEmit>) => Promise<void> | void;
export type StepHandler = (...args: any[]) => any;

// The generated types.d.ts of a project fills this in.
export interface Handlers {
  [step: string]: StepHandler;
}

export function http(method: ApiRouteMethod, path: string, options?: object, condition?: StepHandler): object;
export function api(method: ApiRouteMethod, path: string, options?: object, condition?: StepHandler): object;
export function queue(topic: string, options?: object, condition?: StepHandler): object;
export function cron(expression: string, condition?: StepHandler): object;
export function state(condition?: StepHandler): object;
export function stream(streamName: string, options?: object | StepHandler): object;
export function step<TConfig, THandler>(config: TConfig, handler?: THandler): { config: TConfig; handler: THandler };
export function jsonSchema<TSchema>(schema: TSchema): TSchema;
export function config<TValue>(value: TValue): TValue;
export function defineConfig<TValue>(value: TValue): TValue;
