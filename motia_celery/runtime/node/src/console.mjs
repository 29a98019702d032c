// The console inside of a handler writes lines of its run; outside of one it stays what it is.
import { format, inspect } from 'node:util';

import { current } from './call.mjs';

const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' };

export function capture() {
  for (const [name, level] of Object.entries(LEVELS)) {
    const print = console[name].bind(console);
    console[name] = (...values) => {
      if (!current.getStore()?.print(level, text(values))) print(...values);
    };
  }
}

function text(values) {
  try {
    return format(...values);
  } catch (error) {
    return `<values that can not be shown: ${inspect(error?.name)}>`; // an inspect method threw
  }
}
