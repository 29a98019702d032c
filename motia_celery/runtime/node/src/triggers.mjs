// A Step with a list of triggers, as in Motia 1.0: what each of them runs, and with which arguments.

const KINDS = {
  http: 'http',
  api: 'http',
  queue: 'queue',
  event: 'queue',
  cron: 'cron',
  state: 'state',
  stream: 'stream',
};
// Where a handler keeps those of each kind of trigger; `motia` sets it.
const BY_KIND = Symbol.for('motia-celery.byKind');

export const listsTriggers = (config) =>
  config !== null && typeof config === 'object' && 'triggers' in config && config.type == null;

export const handlersByKind = (handler) => (typeof handler === 'function' ? handler[BY_KIND] : undefined);

// [{ kind, handler, isForCron, condition, middleware }] of a config that lists triggers.
export function readTriggers(config, handler) {
  const listed = Array.isArray(config.triggers) ? config.triggers : [];
  const kinds = new Set(listed.map(kindOf));
  const byKind = handlersByKind(handler);
  return listed.map((trigger) => {
    const kind = kindOf(trigger);
    return {
      kind,
      handler: byKind ? byKind[kind] : handler,
      isForCron: byKind ? kind === 'cron' : kinds.size === 1 && kind === 'cron',
      condition: trigger?.condition,
      middleware: functions(trigger?.middleware),
    };
  });
}

export const kindOf = (trigger) => KINDS[trigger?.type] ?? '';

export const functions = (middleware) => [middleware ?? []].flat().filter((part) => typeof part === 'function');

// What is told of the functions of a list. Conditions with the same number are the same function.
export function describeTriggers(triggers) {
  return triggers.map(({ kind, condition }) => ({
    kind,
    condition: condition === undefined || condition === null ? '' : typeof condition,
    same: triggers.findIndex((other) => other.condition === condition),
  }));
}

// Calls the handler of the run's trigger inside its middleware, if its condition holds.
export async function callTriggered(triggers, run, given, context) {
  const trigger = triggers[run.by?.index ?? run.trigger_index ?? 0];
  if (typeof trigger?.handler !== 'function') {
    throw new TypeError(`the Step has no handler for its ${context.trigger.type} trigger`);
  }
  if (!(await holds(trigger, given, context))) return skipped(context);
  const link = (index) =>
    index < trigger.middleware.length
      ? trigger.middleware[index](given, context, async () => link(index + 1))
      : trigger.handler(...fitting(trigger.handler, given, context, trigger.isForCron));
  return link(0);
}

async function holds({ condition }, given, context) {
  if (condition === undefined || condition === null) return true;
  if (typeof condition !== 'function') return false;
  return Boolean(await condition(...fitting(condition, given, context)));
}

function skipped(context) {
  const { type } = context.trigger;
  context.logger.info(`Skipped: the condition of its ${type} trigger is false`);
  return type === 'http' ? { status: 422, body: { error: 'Condition not met', skipped: true } } : null;
}

// `(input, context)`; a function with one argument that is called a context gets that alone.
export function fitting(call, given, context, isForCron = false) {
  return call.length === 1 && (isForCron || takesContext(call)) ? [context] : [given, context];
}

const CONTEXT_FIRST = /^(?:async\s*)?(?:function\s*\*?\s*[\w$]*\s*|[\w$]+\s*(?=\())?\(?\s*_?(?:ctx|context|flowContext)\b/;

const takesContext = (call) => CONTEXT_FIRST.test(Function.prototype.toString.call(call));

// The part of a context that tells what started the run.
export function triggered(run, given) {
  const trigger = run.by ?? { type: run.trigger === 'event' ? 'queue' : run.trigger, index: 0 };
  const { type } = trigger;
  const is = (kind) => () => type === kind;
  return {
    trigger,
    is: { http: is('http'), queue: is('queue'), cron: is('cron'), state: is('state'), stream: is('stream') },
    getData: () => (type === 'http' ? given?.request?.body ?? given?.body : given ?? undefined),
    async match(handlers) {
      const named = handlers[type] ?? (type === 'http' ? handlers.api : undefined);
      const call = named ?? handlers.default;
      if (typeof call === 'function') return call(...fitting(call, given, this, named && type === 'cron'));
      this.logger.warn(`match has no function for ${type}`);
      return undefined;
    },
  };
}

// The first argument of a handler that a request started: `{ request, response }`, and for handlers
// of early versions the members of the request itself.
export function httpArguments(request, { method, path } = {}, response) {
  const own = { ...request, method, path };
  Object.defineProperty(own, 'requestBody', {
    get: () => ({ stream: chunks(request.rawBody) }),
    enumerable: false,
  });
  const given = { request: own, response };
  for (const name of Object.keys(own)) {
    Object.defineProperty(given, name, {
      get: () => own[name],
      set: (value) => void (own[name] = value),
      enumerable: false,
    });
  }
  return given;
}

async function* chunks(text) {
  if (text) yield Buffer.from(text);
}
