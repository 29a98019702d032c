// What a file defines: its config as JSON, and the functions that a run calls.
import { pathToFileURL } from 'node:url';

import { describeProject, isProject, readProject } from './project.mjs';
import { toJsonSchema } from './schemas.mjs';
import { describeTriggers, functions, handlersByKind, listsTriggers, readTriggers } from './triggers.mjs';

const HOOKS = ['onJoin', 'onLeave'];
const loaded = new Map();

// { config, handler, middleware, canAccess } of a file; it is executed once. A promise of it until
// it is there: each call asks, and each wait of a call costs it a microsecond.
export function definition(file) {
  const found = loaded.get(file);
  if (found) return found;
  const loading = load(file);
  loaded.set(file, loading);
  loading.then((done) => loaded.set(file, done), () => loaded.delete(file));
  return loading;
}

async function load(file) {
  const module = await import(pathToFileURL(file).href);
  // What a CommonJS file exports is the default; `exports.default` of a compiled one lies deeper.
  const places = [module, module.default, module.default?.default].filter(Boolean);
  if (isProject(file)) return readProject(places);
  const { config, handler } = defined(places);
  if (config === undefined || config === null) {
    const error = new Error('the file defines no config.');
    error.code = 'NO_CONFIG';
    throw error;
  }
  const triggers = listsTriggers(config) ? readTriggers(config, handler) : null;
  return { config, handler, triggers, middleware: functions(config.middleware), canAccess: config.canAccess };
}

// What `step()` of `motia` and the like give: a config and its handler in one value.
const WHOLE = Symbol.for('motia-celery.step');
const isWhole = (value) => value !== null && typeof value === 'object' && value[WHOLE] === true;

// The config and the handler of a file: each by its name, or together in whatever it exports.
function defined(places) {
  const named = (name) => places.find((place) => place[name] !== undefined)?.[name];
  const [config, handler] = [named('config'), named('handler')];
  for (const value of [config, handler]) {
    if (isWhole(value)) return { config: value.config, handler: value.handler ?? handler };
  }
  if (config !== undefined && handler !== undefined) return { config, handler };
  const all = places.flatMap((place) => (typeof place === 'object' ? Object.values(place) : [])).filter(isWhole);
  const whole = all.find((value) => config === undefined || value.config === config);
  return whole ? { config: whole.config, handler: whole.handler ?? handler } : { config, handler };
}

// Whether the canAccess of a definition lets a client join.
export async function allows({ subscription, auth }, { config, canAccess }) {
  if (typeof canAccess !== 'function') throw new TypeError('the file has no canAccess any more');
  return Boolean(await canAccess.call(config, subscription, auth ?? null));
}

// Calls a hook of a stream (onJoin, onLeave), and gives whether the client may join.
export async function callHook({ hook, input }, { config }, context) {
  if (typeof config[hook] !== 'function') throw new TypeError(`the file has no ${hook} any more`);
  const told = await config[hook](input.subscription, context, input.auth ?? null);
  return told !== false && !told?.unauthorized;
}

// The definition as it crosses, with what could not be read of it as `warnings`.
export async function describe(file) {
  if (isProject(file)) return describeProject(await definition(file));
  const { config, handler, triggers, middleware, canAccess } = await definition(file);
  const warnings = [];
  return {
    config: await describeConfig(config, file, warnings),
    warnings,
    hasHandler: typeof handler === 'function',
    handlerType: handler === undefined ? '' : kindOfHandler(handler),
    ...(triggers ? { triggers: describeTriggers(triggers), handlerKinds: describeKinds(handler) } : {}),
    hasMiddleware: middleware.length > 0,
    hasCanAccess: typeof canAccess === 'function',
    accessType: canAccess === undefined || canAccess === null ? '' : typeof canAccess,
    hooks: Object.fromEntries(HOOKS.filter((name) => config[name] != null).map((name) => [name, typeof config[name]])),
  };
}

function kindOfHandler(handler) {
  return typeof handler === 'function' ? handler.constructor.name : typeof handler;
}

// What stands where a handler has one function for each kind of trigger; null where it has not.
function describeKinds(handler) {
  const byKind = handlersByKind(handler);
  return byKind ? Object.fromEntries(Object.entries(byKind).map(([kind, call]) => [kind, kindOfHandler(call)])) : null;
}

async function describeConfig(config, file, warnings) {
  if (typeof config !== 'object') return config;
  const { middleware: _m, canAccess: _c, ...rest } = config;
  const out = await withSchemas(rest, '', file, warnings);
  if (listsTriggers(config) && Array.isArray(config.triggers)) {
    out.triggers = await Promise.all(
      config.triggers.map((trigger, index) => describeTrigger(trigger, `triggers.${index}.`, file, warnings)),
    );
  }
  return JSON.parse(JSON.stringify(out, (_, value) => (typeof value === 'function' ? undefined : value)));
}

function describeTrigger(trigger, inside, file, warnings) {
  if (!isRecord(trigger)) return trigger;
  const { middleware: _m, condition: _c, ...rest } = trigger;
  return withSchemas(rest, inside, file, warnings);
}

// The config, or a trigger of its list, with JSON Schema where it has other schemas.
async function withSchemas(given, inside, file, warnings) {
  const out = { ...given };
  const convert = async (owner, key, field) => {
    try {
      owner[key] = await toJsonSchema(owner[key], file);
    } catch (error) {
      delete owner[key];
      warnings.push({ field: inside + field, message: String(error?.message ?? error) });
    }
  };
  for (const key of ['input', 'bodySchema', 'schema']) if (out[key]) await convert(out, key, key);
  if (isRecord(out.responseSchema)) {
    out.responseSchema = { ...out.responseSchema };
    for (const status of Object.keys(out.responseSchema)) {
      await convert(out.responseSchema, status, `responseSchema.${status}`);
    }
  }
  return out;
}

const isRecord = (value) => value !== null && typeof value === 'object';
