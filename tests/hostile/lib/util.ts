import type { Nothing } from './types';
export interface Unused { a: string }
export const shout = (word: string): string => `${word.toUpperCase()}!`;
export const folder: string = __dirname;
export type { Nothing };
