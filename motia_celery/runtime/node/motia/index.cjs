// What a Step may import from 'motia'. Configs are plain values, which these functions only write;
// the rest finds the context of the run that is under way.
'use strict';

const CURRENT = Symbol.for('motia-celery.context');
const WHOLE = Symbol.for('motia-celery.step');
const BY_KIND = Symbol.for('motia-celery.byKind');

const known = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
const trigger = (type, fields) => known({ type, ...fields });

exports.http = (method, path, options, condition) =>
  trigger('http', { method, path, ...options, condition: condition ?? options?.condition });
exports.api = exports.http;
exports.queue = (topic, options, condition) =>
  trigger('queue', { topic, ...options, condition: condition ?? options?.condition });
exports.cron = (expression, condition) => trigger('cron', { expression, condition });
exports.state = (condition) => trigger('state', { condition });
exports.stream = (streamName, options, condition) =>
  typeof options === 'function'
    ? trigger('stream', { streamName, condition: options })
    : trigger('stream', { streamName, ...options, condition: condition ?? options?.condition });

// A config and its handler in one value: `export const { config, handler } = step(…)`.
const whole = (config, handler) => Object.defineProperty({ config, handler }, WHOLE, { value: true });

exports.step = whole;

// One handler for each kind of trigger: `multiTriggerStep(config).onHttp(…).onQueue(…).handlers()`.
exports.multiTriggerStep = (config) => {
  const byKind = {};
  const handler = (input, context) => context.match(byKind);
  handler[BY_KIND] = byKind;
  const builder = { config };
  const on = (kind) => (call) => {
    byKind[kind] = call;
    return builder;
  };
  for (const kind of ['http', 'queue', 'cron', 'state', 'stream']) {
    builder[`on${kind[0].toUpperCase()}${kind.slice(1)}`] = on(kind);
  }
  builder.onApi = builder.onHttp;
  builder.handlers = (more = {}) => {
    for (const [kind, call] of Object.entries(more)) byKind[kind === 'api' ? 'http' : kind] = call;
    return whole(config, handler);
  };
  return builder;
};

exports.jsonSchema = (schema) => schema;
exports.config = (value) => value;
exports.defineConfig = (value) => value;

// ---- What belongs to the run under way

function context() {
  const found = globalThis[CURRENT]?.();
  if (found) return found;
  throw new Error("'motia' is used outside of a handler, where there is no run: use it in what a handler calls");
}

exports.enqueue = (event) => context().emit(event);

const line = (level) => (message, data) => {
  const found = globalThis[CURRENT]?.();
  if (found) found.logger[level](message, data);
  else console[level](message, ...(data === undefined ? [] : [data]));
};
exports.logger = { info: line('info'), warn: line('warn'), error: line('error'), debug: line('debug') };

const replaced = (value) => [{ type: 'set', path: '', value }];

// Values by scope and key; `set` gives the old value and the new one.
exports.stateManager = {
  get: (scope, key) => context().state.get(scope, key),
  set: (scope, key, value) => context().state.update(scope, key, replaced(value)),
  update: (scope, key, ops) => context().state.update(scope, key, ops),
  delete: (scope, key) => context().state.delete(scope, key),
  list: (scope) => context().state.list(scope),
  listGroups: () => context().state.listGroups(),
  getGroup: (scope) => context().state.getGroup(scope),
  clear: (scope) => context().state.clear(scope),
};

// A stream by its config or its name; `set` gives the old item and the new one.
exports.Stream = class Stream {
  constructor(config) {
    this.config = config;
    this.name = typeof config === 'string' ? config : config.name;
  }

  get #stream() {
    return context().streams[this.name];
  }

  get(groupId, id) {
    return this.#stream.get(groupId, id);
  }

  set(groupId, id, data) {
    return this.#stream.update(groupId, id, replaced(data));
  }

  update(groupId, id, ops) {
    return this.#stream.update(groupId, id, ops);
  }

  delete(groupId, id) {
    return this.#stream.delete(groupId, id);
  }

  list(groupId) {
    return this.#stream.list(groupId);
  }

  getGroup(groupId) {
    return this.#stream.getGroup(groupId);
  }

  listGroups() {
    return this.#stream.listGroups();
  }

  send(channel, event) {
    return this.#stream.send(channel, event);
  }
};

// ---- Guards

const TYPES = { Api: ['http', 'api'], Queue: ['queue', 'event'], Cron: ['cron'], State: ['state'], Stream: ['stream'] };

for (const [name, types] of Object.entries(TYPES)) {
  const is = (one) => types.includes(one?.type);
  exports[`is${name}Trigger`] = is;
  exports[`get${name}Triggers`] = (step) => ((step.config ?? step).triggers ?? []).filter(is);
}
exports.isHttpTrigger = exports.isApiTrigger;
exports.getHttpTriggers = exports.getApiTriggers;
