// Bundles src/ with sucrase and Tailwind into dist/. The result needs nothing but Node.
import { build } from 'esbuild';

await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { host: 'src/main.mjs', hooks: 'src/hooks.mjs', drawing: 'src/drawing.mjs' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.11',
  mainFields: ['module', 'main'], // one copy of sucrase's parser, which keeps its state in a module
  loader: { '.css': 'text' },
  minifyWhitespace: true,
  legalComments: 'inline',
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: 'warning',
});
