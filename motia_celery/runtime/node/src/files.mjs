// Which file an import means: what editors and compilers accept, Node alone does not.
import fs from 'node:fs';
import path from 'node:path';

import { aliased } from './tsconfig.mjs';

export const TYPESCRIPT = /\.[mc]?tsx?$/;
export const SCRIPT = /\.(?:[mc]?[jt]s|[jt]sx)$/;

const ADDED = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];
const TYPED = { '.js': ['.ts', '.tsx'], '.jsx': ['.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };

export const isPath = (specifier) => /^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..';

export const isOwn = (file) => !file.split(path.sep).includes('node_modules');

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

// The file behind a path without an extension, a folder, or `.js` written for `.ts`; or null.
export function resolveFile(target) {
  if (!target.endsWith(path.sep)) {
    if (isFile(target)) return real(target);
    const extension = path.extname(target);
    const bare = target.slice(0, target.length - extension.length);
    for (const typed of TYPED[extension] ?? []) if (isFile(bare + typed)) return real(bare + typed);
    for (const added of ADDED) if (isFile(target + added)) return real(target + added);
  }
  return resolveFolder(target);
}

function resolveFolder(folder) {
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return null;
  const main = readPackage(folder)?.main;
  if (typeof main === 'string' && main) {
    const found = resolveFile(path.join(folder, main.replace(/\/$/, '')));
    if (found) return found;
  }
  for (const added of ADDED) {
    const index = path.join(folder, `index${added}`);
    if (isFile(index)) return real(index);
  }
  return null;
}

const real = (file) => fs.realpathSync(file);

// The project's own file that an import from a file in `folder` means, or null.
export function resolveOwn(specifier, folder) {
  if (isPath(specifier)) return resolveFile(path.resolve(folder, specifier) + (specifier.endsWith('/') ? path.sep : ''));
  for (const candidate of aliased(specifier, folder)) {
    const found = resolveFile(candidate);
    if (found) return found;
  }
  return null;
}

function readPackage(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  } catch {
    return null;
  }
}

const types = new Map();

// The `type` of the package that a folder belongs to.
export function packageType(folder) {
  if (types.has(folder)) return types.get(folder);
  const parent = path.dirname(folder);
  const json = readPackage(folder);
  const type = json ? (json.type ?? '') : parent === folder ? '' : packageType(parent);
  types.set(folder, type);
  return type;
}
