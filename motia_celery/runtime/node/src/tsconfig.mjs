// The path aliases of the tsconfig.json nearest to a file.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const NAMES = ['tsconfig.json', 'jsconfig.json'];
const nearest = new Map();

// The places that an import of `specifier` from a file of `folder` may mean.
export function aliased(specifier, folder) {
  const config = configFor(folder);
  if (!config) return [];
  const found = config.paths ? matchPaths(specifier, config) : [];
  if (config.baseUrl) found.push(path.resolve(config.baseUrl, specifier));
  return found;
}

function matchPaths(specifier, { paths, pathsBase }) {
  if (paths[specifier] && !specifier.includes('*')) return targets(paths[specifier], '', pathsBase);
  let best = null;
  for (const pattern of Object.keys(paths)) {
    const star = pattern.indexOf('*');
    if (star < 0) continue;
    const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
    const fits = specifier.startsWith(before) && specifier.endsWith(after);
    if (fits && specifier.length >= pattern.length - 1 && (!best || before.length > best.before.length)) {
      best = { pattern, before, after };
    }
  }
  if (!best) return [];
  const middle = specifier.slice(best.before.length, specifier.length - best.after.length);
  return targets(paths[best.pattern], middle, pathsBase);
}

const targets = (list, middle, base) =>
  list.map((target) => path.resolve(base, target.replace('*', () => middle)));

function configFor(folder) {
  if (nearest.has(folder)) return nearest.get(folder);
  const file = NAMES.map((name) => path.join(folder, name)).find((name) => fs.existsSync(name));
  const parent = path.dirname(folder);
  const config = file ? read(file) : parent === folder ? null : configFor(parent);
  nearest.set(folder, config);
  return config;
}

function read(file, seen = new Set()) {
  if (seen.has(file)) return null;
  seen.add(file);
  let json;
  try {
    json = JSON.parse(plainJson(fs.readFileSync(file, 'utf8')));
  } catch {
    return null; // the compiler will complain of it; here it only brings no aliases
  }
  const folder = path.dirname(file);
  let config = {};
  for (const base of [json.extends ?? []].flat()) {
    Object.assign(config, read(locate(base, file), seen) ?? {});
  }
  const { baseUrl, paths } = json.compilerOptions ?? {};
  if (baseUrl) config = { ...config, baseUrl: path.resolve(folder, baseUrl) };
  if (paths) config = { ...config, paths, pathsBase: config.baseUrl ?? folder };
  return config;
}

function locate(base, file) {
  const folder = path.dirname(file);
  if (base.startsWith('.') || path.isAbsolute(base)) {
    const found = path.resolve(folder, base);
    return fs.existsSync(found) && fs.statSync(found).isFile() ? found : `${found}.json`;
  }
  const require = createRequire(file);
  for (const name of [base, `${base}.json`, `${base}/tsconfig.json`]) {
    try {
      return require.resolve(name);
    } catch {
      // the next spelling
    }
  }
  return base;
}

// JSON without the comments and the trailing commas that tsconfig files may have.
function plainJson(text) {
  const withoutComments = text.replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, string) => string ?? '',
  );
  return withoutComments.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_, string) => string ?? '');
}
