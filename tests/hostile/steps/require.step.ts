import fs from 'node:fs';
const path = require('node:path');
const { shout } = require('../lib/util');
export const config = { type: 'event', name: 'require', subscribes: ['x'], emits: [] };
export const handler = () => ({
  dirname: __dirname, filename: __filename, meta: import.meta.dirname, metaFile: import.meta.filename,
  url: import.meta.url, base: path.basename(__filename), shout: shout('d'), cwd: process.cwd(), exists: fs.existsSync(__filename),
});
