import { old } from '../lib/old.cjs';
import { shout } from '../lib/util';
import typed, { answer } from '../lib/typed.cts';
export const config = { type: 'event', name: 'module', subscribes: ['x'], emits: [] };
export const handler = async () => ({ old: old(), shout: shout('c'), answer, base: typed.base });
