import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
const require = createRequire(import.meta.url);
const __filename = fileURLToPath(import.meta.url);
const __dirname = path.dirname(__filename);
export const config = { type: 'event', name: 'own-require', subscribes: ['x'], emits: [] };
export const handler = () => ({ os: typeof require('node:os').cpus, __dirname });
