#!/usr/bin/env node
import type { Gone } from './not/there';
import { type Nothing, shout } from '../lib/util';
import path = require('node:path');
import * as numbers from '../lib/numbers';
abstract class Base<T> {
  #hidden = 1;
  static { Base.made += 1; }
  static made = 0;
  protected constructor(readonly name: string) {}
  abstract take(): T;
  get hidden() { return this.#hidden; }
}
class Derived extends Base<number> {
  declare untouched: Gone;
  constructor() { super('derived'); }
  override take() { return this.hidden; }
}
function over(a: string): string;
function over(a: unknown): unknown { return a; }
export const config = { type: 'event', name: 'more', subscribes: ['x'], emits: [] } as const satisfies object;
export async function handler(_: Nothing | null) {
  const made = new Derived();
  return {
    taken: made.take(), name: made.name, untouched: 'untouched' in made, over: over('a'), shout: shout('m'),
    base: path.basename(import.meta.filename), both: numbers.Bits.Both, back: numbers.Bits[3], any: <any>2,
  };
}
