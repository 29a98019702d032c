import { mts } from './mts.mjs';
export const config = { type: 'event', name: 'mts', subscribes: ['x'], emits: [] };
export const handler = () => mts;
