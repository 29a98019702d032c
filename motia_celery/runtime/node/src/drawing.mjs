// Reads which files draw Steps in the Workbench, and writes each with all it imports as one module
// of the page. Nothing of them is executed here.
import { bundle, located } from './bundle.mjs';
import { styleOf } from './tailwind.mjs';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { root, files } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
process.stdout.write(JSON.stringify(await Promise.all(files.map(draw))));

async function draw({ file, scope }) {
  try {
    const { code, inputs, sources } = bundle(root, file);
    const style = await styleOf(sources, scope);
    return { code: `${code}export const style=${JSON.stringify(style)};\n`, inputs };
  } catch (error) {
    return { error: located(error, root, file) };
  }
}
