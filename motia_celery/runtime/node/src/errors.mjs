// Errors as they cross: name, message, code, stack, and the project's line.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const OWN = path.dirname(fileURLToPath(import.meta.url));
const PLACE = /(?:\(|at |^)((?:file:\/\/)?\/[^()\n]*?):(\d+)(?::\d+)?\)?$/;

export function describeError(error, root = process.cwd()) {
  if (!(error instanceof Error) && !isErrorLike(error)) {
    return { name: 'Error', message: thrown(error), stack: '' };
  }
  const described = {
    name: String(error.name || error.constructor?.name || 'Error'),
    message: String(error.message ?? ''),
    stack: cleanStack(error),
  };
  if (typeof error.code === 'string' || typeof error.code === 'number') described.code = String(error.code);
  const place = error.motiaPlace ?? placeOf(String(error.stack ?? ''), root);
  if (place) Object.assign(described, place);
  return described;
}

// An error of another realm (vm, worker) is no instance of ours.
const isErrorLike = (error) =>
  error !== null && typeof error === 'object' && typeof error.message === 'string';

function thrown(value) {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function cleanStack(error) {
  const lines = String(error.stack ?? '').split('\n');
  const cause = error.cause ? `\ncaused by: ${error.cause?.stack ?? thrown(error.cause)}` : '';
  return lines
    .filter((line) => !line.includes(OWN) && !/^\s+at .*\(?node:internal\//.test(line))
    .join('\n')
    .concat(cause);
}

// The innermost frame in the project, as { file, line }; packages are not the project's own.
export function placeOf(stack, root) {
  for (const line of stack.split('\n')) {
    const match = PLACE.exec(line.trim());
    if (!match) continue;
    const file = match[1].startsWith('file:') ? toPath(match[1]) : match[1];
    const inside = path.relative(root, file);
    if (inside.startsWith('..') || path.isAbsolute(inside)) continue;
    if (inside.split(path.sep).includes('node_modules') || file.startsWith(OWN)) continue;
    return { file: inside.split(path.sep).join('/'), line: Number(match[2]) };
  }
  return null;
}

const toPath = (url) => {
  try {
    return fileURLToPath(url.replace(/[?#].*$/, ''));
  } catch {
    return url;
  }
};
