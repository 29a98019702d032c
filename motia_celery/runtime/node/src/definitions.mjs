// What a file defines: its config as JSON, and the functions that a run calls.
import { pathToFileURL } from 'node:url';

import { describeProject, isProject, readProject } from './project.mjs';
import { toJsonSchema } from './schemas.mjs';

const HOOKS = ['onJoin', 'onLeave'];
const loaded = new Map();

// { config, handler, middleware, canAccess } of a file; it is executed once.
export function definition(file) {
  if (!loaded.has(file)) {
    const loading = load(file);
    loaded.set(file, loading);
    loading.catch(() => loaded.delete(file));
  }
  return loaded.get(file);
}

async function load(file) {
  const module = await import(pathToFileURL(file).href);
  // What a CommonJS file exports is the default; `exports.default` of a compiled one lies deeper.
  const places = [module, module.default, module.default?.default].filter(Boolean);
  if (isProject(file)) return readProject(places);
  const config = places.find((place) => place.config !== undefined)?.config;
  if (config === undefined || config === null) {
    const error = new Error('the file defines no config.');
    error.code = 'NO_CONFIG';
    throw error;
  }
  const handler = places.find((place) => place.handler !== undefined)?.handler;
  const middleware = [config.middleware ?? []].flat().filter((part) => typeof part === 'function');
  return { config, handler, middleware, canAccess: config.canAccess };
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
  const { config, handler, middleware, canAccess } = await definition(file);
  const warnings = [];
  return {
    config: await describeConfig(config, file, warnings),
    warnings,
    hasHandler: typeof handler === 'function',
    handlerType: handler === undefined ? '' : kindOf(handler),
    hasMiddleware: middleware.length > 0,
    hasCanAccess: typeof canAccess === 'function',
    accessType: canAccess === undefined || canAccess === null ? '' : typeof canAccess,
    hooks: Object.fromEntries(HOOKS.filter((name) => config[name] != null).map((name) => [name, typeof config[name]])),
  };
}

function kindOf(handler) {
  return typeof handler === 'function' ? handler.constructor.name : typeof handler;
}

async function describeConfig(config, file, warnings) {
  if (typeof config !== 'object') return config;
  const { middleware: _m, canAccess: _c, ...rest } = config;
  const out = { ...rest };
  const convert = async (owner, key, field) => {
    try {
      owner[key] = await toJsonSchema(owner[key], file);
    } catch (error) {
      delete owner[key];
      warnings.push({ field, message: String(error?.message ?? error) });
    }
  };
  for (const key of ['input', 'bodySchema', 'schema']) if (out[key]) await convert(out, key, key);
  if (isRecord(out.responseSchema)) {
    out.responseSchema = { ...out.responseSchema };
    for (const status of Object.keys(out.responseSchema)) {
      await convert(out.responseSchema, status, `responseSchema.${status}`);
    }
  }
  return JSON.parse(JSON.stringify(out, (_, value) => (typeof value === 'function' ? undefined : value)));
}

const isRecord = (value) => value !== null && typeof value === 'object';
