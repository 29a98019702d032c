// A file of the project and all it imports, as the text of one ES module for the page.
import fs from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';

import { transform } from 'sucrase';

import { SCRIPT, TYPESCRIPT, isOwn, isPath, resolveFile, resolveOwn } from './files.mjs';
import { examine } from './syntax.mjs';

// What the page itself has: its own React, and what stands for Motia's packages.
const OF_PAGE = new Set([
  'react',
  'react/jsx-runtime',
  'react/jsx-dev-runtime',
  'react-dom',
  '@xyflow/react',
  'motia/workbench',
  '@motiadev/workbench',
  '@motiadev/ui',
]);
const LIMIT_BYTES = 4 * 1024 * 1024;
const IMAGES = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
};
const REQUIRES = /\brequire\(\s*(['"])([^'"]+)\1\s*\)/g;

// { code, inputs, sources }: the module, the files in it, and the text of the project's own ones.
export function bundle(root, entry) {
  const modules = new Map();
  const sources = [];
  let size = 0;
  const add = (file) => {
    if (modules.has(file)) return;
    modules.set(file, null);
    const content = fs.readFileSync(file);
    size += content.length;
    if (size > LIMIT_BYTES) throw placed(new Error(`what it imports is larger than ${LIMIT_BYTES / 1024 / 1024} MB`), entry);
    const code = translate(file, content);
    if (isOwn(file) && SCRIPT.test(file)) sources.push(content.toString('utf8'));
    const imports = SCRIPT.test(file) ? importsOf(file, code, add) : {};
    modules.set(file, { code, imports });
  };
  add(entry);
  return { code: written(root, entry, modules), inputs: [...modules.keys()], sources };
}

function importsOf(file, code, add) {
  const imports = {};
  for (const [, , specifier] of code.matchAll(REQUIRES)) {
    if (OF_PAGE.has(specifier) || specifier in imports) continue;
    const found = resolve(specifier, file);
    if (found) add(found);
    else if (isOwn(file)) throw placed(new Error(unknown(specifier)), file, lineOf(file, specifier));
    if (found) imports[specifier] = found;
  }
  return imports;
}

const unknown = (specifier) =>
  isBuiltin(specifier)
    ? `imports '${specifier}', which browsers do not have`
    : `imports '${specifier}', which was not found`;

// The file that an import means, or null.
function resolve(specifier, from) {
  if (isBuiltin(specifier)) return null;
  const name = specifier.replace(/\?.*$/s, '');
  if (isOwn(from) || isPath(name)) {
    const found = resolveOwn(name, path.dirname(from));
    if (found) return found;
    if (isPath(name)) return null;
  }
  try {
    return createRequire(from).resolve(name);
  } catch {
    return asModule(name, from);
  }
}

// A package that offers itself to `import` alone.
function asModule(name, from) {
  const [, owner, rest] = /^((?:@[^/]+\/)?[^/]+)(.*)$/s.exec(name) ?? [];
  for (let folder = path.dirname(from); owner; folder = path.dirname(folder)) {
    const home = path.join(folder, 'node_modules', owner);
    if (fs.existsSync(path.join(home, 'package.json'))) return exported(home, `.${rest}`);
    if (folder === path.dirname(folder)) return null;
  }
  return null;
}

function exported(home, wanted) {
  const { exports, module } = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8'));
  const isWhole = typeof exports === 'string' || Array.isArray(exports) || !Object.keys(exports ?? {}).some((key) => key.startsWith('.'));
  const target = conditional(isWhole ? (wanted === '.' ? exports : null) : exports[wanted]) ?? (wanted === '.' ? module : null);
  return target ? resolveFile(path.join(home, target)) : null;
}

function conditional(target) {
  if (typeof target === 'string' || !target) return target ?? null;
  if (Array.isArray(target)) return conditional(target[0]);
  const key = Object.keys(target).find((name) => ['browser', 'import', 'module', 'default'].includes(name));
  return key ? conditional(target[key]) : null;
}

function translate(file, content) {
  const extension = path.extname(file);
  const text = content.toString('utf8');
  if (extension === '.json') return `module.exports=${JSON.stringify(JSON.parse(text))};`;
  if (IMAGES[extension]) return `exports.__esModule=true;exports.default=${JSON.stringify(`data:${IMAGES[extension]};base64,${content.toString('base64')}`)};`;
  if (extension === '.css' && !/\.module\.css$/.test(file)) return `$page.addStyle(${JSON.stringify(path.relative(process.cwd(), file))},${JSON.stringify(text)});`;
  if (!SCRIPT.test(file)) throw placed(new Error(`files like ${path.basename(file)} can not be imported here`), file);
  try {
    return script(file, text);
  } catch (error) {
    throw placed(error, file, error.loc?.line ?? (Number(/\((\d+):\d+\)$/.exec(error.message)?.[1]) || undefined));
  }
}

function script(file, text) {
  const isTyped = TYPESCRIPT.test(file);
  if (!isOwn(file) && !isTyped && !examine(text, file).isModule) return text;
  const transforms = ['imports', ...(isTyped ? ['typescript'] : []), ...(/\.[mc]?ts$/.test(file) ? [] : ['jsx'])];
  return transform(text, { transforms, filePath: file, jsxRuntime: 'automatic', production: true }).code;
}

// Every file is a function, called when it is first asked for, as `require` does it.
function written(root, entry, modules) {
  const files = [...modules.keys()];
  const parts = files.map((file) => {
    const { code, imports } = modules.get(file);
    const known = Object.entries(imports).map(([specifier, found]) => [specifier, files.indexOf(found)]);
    const head = `[(module,exports,require,process,global)=>{`;
    return `// ${path.relative(root, file)}\n${head}${code}\n},${JSON.stringify(Object.fromEntries(known))}]`;
  });
  return `${PRELUDE}const $files=[\n${parts.join(',\n')}\n];\nconst $own=$load(${files.indexOf(entry)});\nexport const Node=$own.Node??$own.default;\n`;
}

const PRELUDE = `const $page=globalThis[Symbol.for('motia-celery.page')];
const $done=new Map();
const $process={env:{NODE_ENV:'production'}};
function $load(index){
  if($done.has(index))return $done.get(index).exports;
  const module={exports:{}};
  $done.set(index,module);
  const [run,imports]=$files[index];
  const require=(name)=>{
    if(name in imports)return $load(imports[name]);
    if(name in $page.parts)return $page.parts[name];
    throw new Error("'"+name+"' was not found");
  };
  run.call(module.exports,module,module.exports,require,$process,globalThis);
  return module.exports;
}
`;

function placed(error, file, line) {
  if (!error.place) error.place = { file, line };
  return error;
}

function lineOf(file, specifier) {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`)) + 1 || undefined;
}

// What is wrong, with the file and the line of the project.
export function located(error, root, entry) {
  const { file = entry, line } = error.place ?? {};
  const message = String(error.message)
    .replace(/^Error transforming .*?: /s, '')
    .replace(/ \(\d+:\d+\)$/, '');
  return { message, file: path.relative(root, file), ...(line ? { line } : {}) };
}
