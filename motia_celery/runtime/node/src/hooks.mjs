// Hooks for `import`; they run in a thread of their own (module.register).
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { SCRIPT, TYPESCRIPT, isOwn, isPath, resolveOwn } from './files.mjs';
import { hasStandIn, standInModule } from './stand-ins.mjs';
import { compile } from './transform.mjs';

const STUB = new URL('../motia/index.mjs', import.meta.url).href;

const pathOf = (url) => (url?.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : null);

let tell = () => {};

// A handler that never gives way would outlive a parent that was killed; this thread would not.
export function initialize({ parent, progress }) {
  tell = rarely(() => progress.postMessage(null));
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, 2000).unref();
}

// Files that are read one after another are a sign of life, for whoever waits for them.
function rarely(act) {
  let last = 0;
  return () => {
    if (Date.now() - last < 200) return;
    last = Date.now();
    act();
  };
}

export async function resolve(specifier, context, next) {
  const parent = pathOf(context.parentURL);
  if (isBuiltin(specifier) || !parent || !isOwn(parent)) return next(specifier, context);
  const wanted = specifier.startsWith('file:') ? pathOf(specifier) : specifier;
  const [, name, query] = /^(.*?)((?:[?#].*)?)$/s.exec(wanted);
  const found = resolveOwn(name, path.dirname(parent));
  if (found && (isPath(name) || isOwn(found))) return resolved(found, isPath(name) ? query : '');
  if (hasStandIn(specifier)) return { url: standInModule(specifier, parent), shortCircuit: true };
  return fromPackages(specifier, context, next, parent);
}

function resolved(file, query) {
  const url = pathToFileURL(file).href + query;
  if (file.endsWith('.json')) {
    return { url, format: 'json', importAttributes: { type: 'json' }, shortCircuit: true };
  }
  return { url, shortCircuit: true };
}

async function fromPackages(specifier, context, next, parent) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (isPath(specifier) || specifier.startsWith('file:')) throw error;
    const found = asCommonJs(specifier, parent);
    if (found) return resolved(found, '');
    if (specifier === 'motia') return { url: STUB, shortCircuit: true };
    if (specifier === '@motiadev/core') return { url: standInModule(specifier, parent), shortCircuit: true };
    throw error;
  }
}

// `lodash/fp`: a file of a package without its extension, which only CommonJS finds.
function asCommonJs(specifier, parent) {
  try {
    return createRequire(parent).resolve(specifier);
  } catch {
    return null;
  }
}

export async function load(url, context, next) {
  tell();
  const file = pathOf(url);
  if (!file || !SCRIPT.test(file) || (!isOwn(file) && !TYPESCRIPT.test(file))) return next(url, context);
  const { format, code } = compile(file);
  if (format === 'module') return { format, source: code, shortCircuit: true };
  // Node finds the named exports of plain JavaScript itself, and runs it by our require.
  if (!TYPESCRIPT.test(file)) return { format, source: null, shortCircuit: true };
  return { format: 'module', source: wrapper(code), shortCircuit: true };
}

// A module with the exports of a CommonJS file whose source Node can not read.
function wrapper(code) {
  const names = new Set();
  for (const match of code.matchAll(/\bexports\.([A-Za-z_$][\w$]*)\s*=/g)) names.add(match[1]);
  for (const match of code.matchAll(/defineProperty\(exports, ['"]([A-Za-z_$][\w$]*)['"]/g)) names.add(match[1]);
  const literal = /\bmodule\.exports\s*=\s*\{([^}]*)\}/.exec(code)?.[1] ?? '';
  for (const match of literal.matchAll(/(?:^|,)\s*([A-Za-z_$][\w$]*)\s*(?=[:,(]|$)/g)) names.add(match[1]);
  names.delete('default');
  names.delete('__esModule');
  const named = [...names].map((name, i) => `const e${i}=m[${JSON.stringify(name)}];export{e${i} as ${name}};`);
  return (
    'import{createRequire}from"node:module";' +
    'const m=createRequire(import.meta.url)(import.meta.filename);' +
    `export default m&&m.__esModule&&"default"in m?m.default:m;${named.join('')}`
  );
}
