// Prints the gzipped size of each script, and fails where the first load is over its budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 300_000;
const dist = new URL("dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", dist), "utf8"));
const sizeOf = (file) => gzipSync(readFileSync(new URL(file, dist))).length;
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

function withImports(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) withImports(next, seen);
  return seen;
}

const first = withImports("index.html");
let total = 0;
for (const key of Object.keys(manifest)) {
  const { file } = manifest[key];
  if (!file.endsWith(".js")) continue;
  const size = sizeOf(file);
  if (first.has(key)) total += size;
  console.log(`${first.has(key) ? "first" : "later"}  ${kilobytes(size).padStart(9)}  ${file}`);
}
console.log(`first load: ${kilobytes(total)} of script, gzipped (at most ${kilobytes(BUDGET_BYTES)})`);
if (total > BUDGET_BYTES) process.exit(1);
