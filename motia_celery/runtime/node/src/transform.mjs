// The project's TypeScript and JavaScript as what Node runs. Lines stay where they are.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { transform as sucrase } from 'sucrase';

import { readCache, writeCache } from './cache.mjs';
import { TYPESCRIPT, packageType } from './files.mjs';
import { examine } from './syntax.mjs';

const REVISION = '1'; // part of the cache's key: raise it when the same source gives other code

// { format: 'module' | 'commonjs', code } of a file; `wanted` asks for one format.
export function compile(file, wanted) {
  const source = fs.readFileSync(file, 'utf8');
  const type = packageType(path.dirname(file));
  const kind = [REVISION, path.extname(file), type, wanted ?? ''].join(' ');
  const key = createHash('sha256').update(kind).update('\0').update(source).digest('hex');
  const cached = readCache(key);
  if (cached) return cached;
  const compiled = translate(file, source, type, wanted);
  writeCache(key, compiled);
  return compiled;
}

function translate(file, source, type, wanted) {
  try {
    const facts = examine(source, file);
    const format = wanted ?? formatOf(file, type, facts);
    return { format, code: codeFor(file, source, format, facts) };
  } catch (error) {
    throw located(error, file);
  }
}

// As Node decides, and one step more lenient: import and export make a module anywhere.
function formatOf(file, type, facts) {
  const extension = path.extname(file);
  if (/^\.m[jt]s$/.test(extension)) return 'module';
  if (/^\.c[jt]s$/.test(extension)) return 'commonjs';
  if (facts.isModule) return 'module';
  return type === 'module' && !facts.usesCommonJs ? 'module' : 'commonjs';
}

function codeFor(file, source, format, facts) {
  const transforms = [];
  if (TYPESCRIPT.test(file)) transforms.push('typescript');
  if (/x$/.test(file)) transforms.push('jsx');
  if (format === 'commonjs' && facts.isModule) transforms.push('imports');
  const text = source.startsWith('#!') ? `//${source}` : source;
  const code = transforms.length
    ? sucrase(text, { transforms, disableESTransforms: true, filePath: file, jsxRuntime: 'automatic', production: true }).code
    : text;
  return format === 'module' ? prelude(facts) + code : code;
}

// What CommonJS gives to every file, for modules that count on it. It stays on the first line.
function prelude({ names }) {
  const lines = [];
  if (names.has('require')) {
    lines.push('import{createRequire as __motiaRequire}from"node:module";const require=__motiaRequire(import.meta.url);');
  }
  if (names.has('__dirname')) lines.push('const __dirname=import.meta.dirname;');
  if (names.has('__filename')) lines.push('const __filename=import.meta.filename;');
  return lines.join('');
}

function located(error, file) {
  const syntax = new SyntaxError(
    String(error.message).replace(/^Error transforming .*?: /, '').replace(/ \(\d+:\d+\)$/, ''),
  );
  const line = error.loc?.line ?? Number(/\((\d+):\d+\)$/.exec(error.message)?.[1] ?? 1);
  syntax.stack = `${file}:${line}\nSyntaxError: ${syntax.message}`;
  return syntax;
}
