// One call of a handler, with its middleware, its context and its end.
import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';

import { Pending, makeContext } from './context.mjs';
import { allows, definition } from './definitions.mjs';

// Which call a stray error belongs to.
export const current = new AsyncLocalStorage();

export class Call {
  #message;
  #send;
  #pending = new Pending();
  #waiting = new Map();
  #requests = 0;
  #isOver = false;
  #fail;

  constructor(message, send) {
    this.#message = message;
    this.#send = send;
  }

  // What the handler returned, once nothing that it began is under way.
  run() {
    const cut = new Promise((_, reject) => {
      this.#fail = reject;
    });
    return current.run(this, () => Promise.race([this.#finish(), cut])).finally(() => {
      this.#isOver = true;
    });
  }

  // Ends the call with an error; the handler itself can not be stopped, only left alone.
  fail(error) {
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#fail?.(error);
  }

  // The answer to a request that the handler made on its context.
  answer({ request, value, error }) {
    const waiting = this.#waiting.get(request);
    if (!waiting) return;
    this.#waiting.delete(request);
    if (error) waiting.reject(revived(error, waiting.stack));
    else waiting.resolve(value);
  }

  async #finish() {
    try {
      const result = await this.#start();
      const error = await this.#pending.finish();
      if (error) throw error;
      return result;
    } catch (error) {
      await this.#pending.finish();
      throw error;
    }
  }

  async #start() {
    if (this.#message.type === 'access') return allows(this.#message);
    const { file, run, input } = this.#message;
    const { handler, middleware } = await definition(file);
    if (typeof handler !== 'function') throw new TypeError('the file has no handler any more');
    const context = makeContext(run, { request: this.#request, log: this.#log });
    const link = async (index) => {
      if (index < middleware.length) return middleware[index](input, context, () => link(index + 1));
      if (run.trigger === 'cron' && handler.length < 2) return handler(context);
      return handler(input ?? null, context);
    };
    return link(0);
  }

  #request = (method, args) => {
    const { stack } = new Error();
    return this.#pending.start((resolve, reject) => {
      if (this.#isOver) throw new Error(`${method} was called after its run had ended`);
      const request = ++this.#requests;
      this.#send({ type: 'request', id: this.#message.id, request, method, args });
      this.#waiting.set(request, { resolve, reject, stack });
    });
  };

  #log = (level, message, data) => {
    const text = typeof message === 'string' ? message : inspect(message);
    const frame = { type: 'log', id: this.#message.id, level, message: text };
    try {
      this.#send({ ...frame, data: loggable(data) });
    } catch {
      this.#send({ ...frame, data: inspect(data) }); // a circle, a BigInt: it must not fail the run
    }
  };
}

function revived({ name, message, code }, stack) {
  const error = new Error(message);
  error.name = name;
  if (code) error.code = code;
  error.stack = `${name}: ${message}\n${stack.split('\n').slice(2).join('\n')}`;
  return error;
}

// Errors have no JSON of their own, and are what is logged most.
function loggable(data) {
  if (data instanceof Error) return { name: data.name, message: data.message, stack: data.stack };
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, value instanceof Error ? loggable(value) : value]),
  );
}
