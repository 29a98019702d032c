// The same rules for `require`.
import Module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { isOwn, resolveOwn } from './files.mjs';
import { hasStandIn, standIn } from './stand-ins.mjs';
import { compile } from './transform.mjs';

const STUB = fileURLToPath(new URL('../motia/index.cjs', import.meta.url));

export function install() {
  const { _load: loadModule, _resolveFilename: resolveFilename, _extensions: extensions } = Module;
  const plain = extensions['.js'];

  Module._load = function (request, parent, ...rest) {
    if (typeof request === 'string' && hasStandIn(request)) return standIn(request);
    return loadModule.call(this, request, parent, ...rest);
  };

  Module._resolveFilename = function (request, parent, ...rest) {
    const from = parent?.filename;
    if (typeof request !== 'string' || Module.isBuiltin(request) || !from || !isOwn(from)) {
      return resolveFilename.call(this, request, parent, ...rest);
    }
    const found = resolveOwn(request, path.dirname(from));
    if (found) return found;
    try {
      return resolveFilename.call(this, request, parent, ...rest);
    } catch (error) {
      if (['motia', '@motiadev/core'].includes(request) && error.code === 'MODULE_NOT_FOUND') return STUB;
      throw error;
    }
  };

  const run = (module, file) => module._compile(compile(file, 'commonjs').code, file);
  for (const extension of ['.ts', '.tsx', '.mts', '.cts', '.jsx']) extensions[extension] = run;
  for (const extension of ['.js', '.cjs']) {
    extensions[extension] = (module, file) => (isOwn(file) ? run : plain)(module, file);
  }
}
