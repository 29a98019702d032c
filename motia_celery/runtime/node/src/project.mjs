// The project's config, motia.config.ts or .js: what of it counts here, and what it says of the rest.
import path from 'node:path';

import { describeError } from './errors.mjs';

const MARK = Symbol.for('motia-celery.stand-in');
const FILE = /^motia\.config\.[cm]?[jt]s$/;
const KNOWN = ['app', 'plugins', 'adapters', 'streamAuth', 'authenticateStream', 'redis', 'middleware'];

export const isProject = (file) => FILE.test(path.basename(file));

// The parts of a config, which is exported by default, as `config`, or part by part.
export function readProject(places) {
  const owners = places.flatMap((place) => [place.config, place]).filter(Boolean);
  const part = (name) => owners.find((owner) => owner[name] != null)?.[name];
  const parts = Object.fromEntries(KNOWN.map((name) => [name, part(name)]));
  const middleware = listed(parts.middleware).filter((each) => typeof each === 'function');
  return { ...parts, parts, middleware };
}

const listed = (value) => [value ?? []].flat();

// Who a client is: what `streamAuth` says, or `authenticateStream` of Motia 1.0; null for nobody.
export async function authenticate({ request }, { streamAuth, authenticateStream }, context) {
  const { headers, url, path: at, queryParams, addr } = request;
  if (streamAuth !== undefined) return (await streamAuth.authenticate({ headers, url })) ?? null;
  const told = await authenticateStream({ headers, path: at, queryParams, addr }, context());
  if (told === false || told?.authorized === false) throw new Error('the client is not authorized');
  return told?.context ?? null;
}

// Calls the config's middleware around what `next` asks the parent to do.
export function callAround({ input }, { middleware }, context, next) {
  const link = async (index) =>
    index < middleware.length ? middleware[index](input, context, () => link(index + 1)) : next(changesOf(input));
  return link(0);
}

// Large, and of no use to change: the parent has them.
const changesOf = ({ rawBody: _r, files: _f, ...request }) => request;

// What is read of the config before the app runs. Plugins are built here, and nowhere else.
export async function describeProject({ parts }) {
  const { streamAuth, authenticateStream, middleware } = parts;
  const rule = streamAuth !== undefined ? (streamAuth?.authenticate ?? null) : authenticateStream;
  return {
    authenticateType: rule === undefined ? '' : typeof rule,
    project: {
      middleware: listed(middleware).map((each) => typeof each),
      redis: plain(parts.redis),
      adapters: Object.fromEntries(Object.entries(parts.adapters ?? {}).map(([kind, each]) => [kind, describeAdapter(each)])),
      plugins: await Promise.all(listed(parts.plugins).map(describePlugin)),
      hasApp: Boolean(parts.app),
      hasStreamAuth: streamAuth !== undefined,
    },
  };
}

function describeAdapter(adapter) {
  const { package: source = '', name, options = [] } = adapter?.[MARK] ?? {};
  return { package: source, name: name ?? adapter?.constructor?.name ?? typeof adapter, options: options.map(plain) };
}

async function describePlugin(builder) {
  if (builder?.[MARK]) return { package: builder[MARK].package };
  const routes = [];
  try {
    const made = typeof builder === 'function' ? await builder(pluginContext(routes)) : builder;
    if (made?.[MARK]) return { package: made[MARK].package };
    const { dirname, steps, workbench } = made ?? {};
    return {
      name: builder.name ?? '',
      dirname: typeof dirname === 'string' ? dirname : null,
      steps: listed(steps).map(String),
      workbench: listed(workbench).map((panel) => String(panel?.label ?? panel?.packageName ?? 'a panel')),
      routes,
    };
  } catch (error) {
    return { name: builder?.name ?? '', error: describeError(error) };
  }
}

// What Motia gives to a plugin's builder. Its engine's parts are not here: a call of them throws.
function pluginContext(routes) {
  const print = (...words) => console.error(...words);
  return {
    printer: new Proxy({}, { get: () => print }),
    registerApi: ({ method, path: at }) => void routes.push(`${method} ${at}`),
    lockedData: absent('lockedData', { baseDir: process.cwd() }),
    ...Object.fromEntries(['state', 'tracerFactory', 'eventAdapter'].map((name) => [name, absent(name)])),
  };
}

function absent(name, known = {}) {
  return new Proxy(() => {}, {
    get: (_, key) => (typeof key === 'symbol' || key === 'then' ? undefined : (known[key] ?? absent(`${name}.${key}`))),
    apply: () => {
      throw new Error(`${name} is a part of Motia's engine, which is not here`);
    },
  });
}

// The value as JSON; a client of Redis as the options that it was made with.
function plain(value) {
  try {
    return JSON.parse(JSON.stringify(value ?? null, (_, part) => (isClient(part) ? part.options : part)));
  } catch {
    return null;
  }
}

const isClient = (value) => typeof value?.connect === 'function' && value.options !== null && typeof value.options === 'object';
