// Motia's packages that a project's config imports, and that have nothing to do here.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const STAND_IN = new URL('../motia/stand-in.cjs', import.meta.url).href;
const NAMES = /(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s*['"]([^'"]+)['"]/g;

// Those that always have one: an adapter that is installed would connect to its server.
export const hasStandIn = (specifier) => /^@motiadev\/(?:adapter|plugin)-/.test(specifier);

// The package's exports, for `require`.
export const standIn = (specifier) => createRequire(import.meta.url)(fileURLToPath(STAND_IN))(specifier);

// The URL of a module with the names that `file` imports from the package.
export function standInModule(specifier, file) {
  const names = [...new Set(importedNames(fs.readFileSync(file, 'utf8'), specifier))];
  const exported = names.filter((name) => name !== 'default').map((name, i) => `const n${i}=m.${name};export{n${i} as ${name}};`);
  const code = `import s from ${JSON.stringify(STAND_IN)};const m=s(${JSON.stringify(specifier)});export default m;${exported.join('')}`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function* importedNames(source, specifier) {
  for (const [, names, from] of source.matchAll(NAMES)) {
    if (from !== specifier) continue;
    for (const part of names.split(',')) {
      const name = /^(?!type\s)([A-Za-z_$][\w$]*)/.exec(part.trim())?.[1];
      if (name) yield name;
    }
  }
}
