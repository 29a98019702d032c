// The project's config, motia.config.ts or .js: what of it counts here, and what it says of the rest.
import path from 'node:path';

import { buildPlugin, describePlugin } from './plugins.mjs';

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

// The handler of a plugin's route, as a file of its own would define it. Its plugin is built anew in
// the process that calls it, once.
export async function findRoute({ parts }, name) {
  for (const builder of listed(parts.plugins)) {
    const { routes } = await buildPlugin(builder);
    const found = routes.find((route) => route.name === name);
    if (found) return found;
  }
  throw new Error(`no plugin registers the route ${name} any more`);
}

// What is read of the config before the app runs.
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

// The value as JSON; a client of Redis as the options that it was made with.
function plain(value) {
  try {
    return JSON.parse(JSON.stringify(value ?? null, (_, part) => (isClient(part) ? part.options : part)));
  } catch {
    return null;
  }
}

const isClient = (value) => typeof value?.connect === 'function' && value.options !== null && typeof value.options === 'object';
