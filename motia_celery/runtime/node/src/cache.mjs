// Translated files, kept in the project's .motia folder by the hash of what they were made from.
import fs from 'node:fs';
import path from 'node:path';

export const FOLDER = path.join(process.cwd(), '.motia', 'cache', 'node');

const DAY = 24 * 60 * 60 * 1000;
const KEPT = { unusedFor: 30 * DAY, bytes: 200 * 1024 * 1024 };
const MARK = 'pruned'; // its age tells when the folder was last looked through

// { format, code } of an entry, or null.
export function readCache(key) {
  const file = path.join(FOLDER, key);
  try {
    const text = fs.readFileSync(file, 'utf8');
    const [format, length] = text.slice(0, text.indexOf('\n')).split(' ');
    const code = text.slice(text.indexOf('\n') + 1);
    if (code.length !== Number(length)) return null;
    touch(file);
    return { format, code };
  } catch {
    return null;
  }
}

// An entry's time says when it was last used, give or take a day.
function touch(file) {
  const now = Date.now();
  if (now - fs.statSync(file).mtimeMs > DAY) fs.utimesSync(file, now / 1000, now / 1000);
}

// Another process may write the same entry: each writes its own file, and renames it.
export function writeCache(key, { format, code }) {
  const file = path.join(FOLDER, key);
  const mine = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    fs.mkdirSync(FOLDER, { recursive: true });
    fs.writeFileSync(mine, `${format} ${code.length}\n${code}`);
    fs.renameSync(mine, file);
  } catch {
    // a read-only project is only slower to start
  }
}

// Removes what was not used for long, and the oldest of too much; at most once a day. Other
// processes may do the same, and one that misses an entry translates the file anew.
export async function prune(folder = FOLDER, kept = KEPT) {
  try {
    if (!isDue(path.join(folder, MARK))) return;
    let bytes = 0;
    for (const { file, size, age } of await entries(folder)) {
      bytes += size;
      if (age > kept.unusedFor || bytes > kept.bytes) await fs.promises.rm(file, { force: true });
    }
  } catch {
    // there is no such folder, or it is not ours to change
  }
}

function isDue(mark) {
  const last = fs.statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Date.now() - last < DAY) return false;
  fs.writeFileSync(mark, '');
  return true;
}

// The newest first.
async function entries(folder) {
  const found = [];
  for (const name of await fs.promises.readdir(folder)) {
    const file = path.join(folder, name);
    const stat = await fs.promises.stat(file).catch(() => null); // another process removed it
    if (stat && name !== MARK) found.push({ file, size: stat.size, age: Date.now() - stat.mtimeMs });
  }
  return found.sort((a, b) => a.age - b.age);
}
