// What can be told of a file from its tokens: module or CommonJS, and what it leaves undeclared.
import { parse } from 'sucrase/dist/esm/parser/index.js';
import { isTopLevelDeclaration } from 'sucrase/dist/esm/parser/tokenizer/index.js';
import { TokenType as tt } from 'sucrase/dist/esm/parser/tokenizer/types.js';

import { TYPESCRIPT } from './files.mjs';

const COMMONJS_NAMES = ['require', '__dirname', '__filename'];
const VALUES = new Set([tt._const, tt._let, tt._var, tt._function, tt._class, tt._enum]);

export function examine(source, file) {
  const names = new Set(COMMONJS_NAMES.filter((name) => new RegExp(`\\b${name}\\b`).test(source)));
  const usesCommonJs = /\bmodule\.exports\b|\bexports\.|\brequire\s*\(/.test(source);
  if (!TYPESCRIPT.test(file) && !/\b(?:import|export|await)\b/.test(source)) {
    return { isModule: false, usesCommonJs, names };
  }
  const isTyped = TYPESCRIPT.test(file);
  const { tokens } = parse(source, !/\.[mc]?ts$/.test(file), isTyped, false);
  if (isTyped) refuseNamespaces(source, tokens);
  const decorator = tokens.find((token) => token.type === tt.at);
  if (decorator) refuse('decorators are not supported', source, decorator);
  const facts = { isModule: false, usesCommonJs };
  tokens.forEach((token, index) => {
    const [next, second] = [tokens[index + 1], tokens[index + 2]];
    if (token.type === tt._import && next.type !== tt.parenL) {
      if (second?.type === tt.eq) facts.usesCommonJs = true; // import x = require('x')
      else facts.isModule = true;
    } else if (token.type === tt._export) {
      if (next.type === tt.eq) facts.usesCommonJs = true;
      else facts.isModule = true;
    } else if (isTopLevelDeclaration(token)) {
      names.delete(source.slice(token.start, token.end));
    }
  });
  return { ...facts, names };
}

// They would vanish without a word: sucrase takes them for types.
function refuseNamespaces(source, tokens) {
  tokens.forEach((token, index) => {
    const word = source.slice(token.start, token.end);
    if (!token.isType || (word !== 'namespace' && word !== 'module')) return;
    const before = tokens[index - 1];
    if (before && source.slice(before.start, before.end) === 'declare') return;
    if (!holdsValues(tokens, index)) return;
    refuse('TypeScript namespaces with values are not supported; use a module', source, token);
  });
}

function refuse(message, source, token) {
  const error = new SyntaxError(message);
  error.loc = { line: source.slice(0, token.start).split('\n').length };
  throw error;
}

function holdsValues(tokens, index) {
  let depth = 0;
  for (const token of tokens.slice(index + 1)) {
    if (token.type === tt.braceL) depth += 1;
    else if (token.type === tt.braceR) {
      depth -= 1;
      if (depth === 0) return false;
    } else if (depth === 0 && token.type !== tt.name && token.type !== tt.dot) return false;
    else if (depth > 0 && VALUES.has(token.type)) return true;
  }
  return false;
}
