// One call of a handler, with its middleware, its context and its end.
import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';

import { Pending, makeContext } from './context.mjs';
import { allows, callHook, definition } from './definitions.mjs';
import { describeError } from './errors.mjs';
import { authenticate, callAround, findRoute, isProject } from './project.mjs';
import { makeResponse } from './response.mjs';
import { within } from './tracing.mjs';
import { callTriggered, httpArguments } from './triggers.mjs';

// Which call a stray error, or a line of the console, belongs to.
export const current = new AsyncLocalStorage();
// How `motia` finds the context of the run that is under way, for what is used without one.
globalThis[Symbol.for('motia-celery.context')] = () => current.getStore()?.context;

export class Call {
  #message;
  #send;
  #onEnd;
  #pending = new Pending();
  #waiting = new Map();
  #requests = 0;
  #isOver = false;
  #context = null;
  #written = null; // the response, where the handler may write it

  constructor(message, send, onEnd) {
    this.#message = message;
    this.#send = send;
    this.#onEnd = onEnd;
  }

  get isOver() {
    return this.#isOver;
  }

  get context() {
    return this.#context;
  }

  // The client that the handler may be writing to has left.
  leave() {
    current.run(this, () => this.#written?.leave());
  }

  // Calls the handler; sends what it returned, once nothing that it began is under way.
  start() {
    current.run(this, () => this.#run());
  }

  // Ends the call with an error; the handler itself can not be stopped, only left alone.
  fail(error) {
    if (this.#isOver) return;
    this.#end({ type: 'error', id: this.#message.id, error: describeError(error) });
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  // A line that the handler wrote to the console; false where no run takes it.
  print(level, text) {
    if (this.#isOver || !/call|around/.test(this.#message.type)) return false; // a rule has no run
    this.#log(level, text);
    return true;
  }

  // The answer to a request that the handler made on its context.
  answer({ request, value, error }) {
    const waiting = this.#waiting.get(request);
    if (!waiting) return;
    this.#waiting.delete(request);
    if (error) waiting.reject(revived(error, waiting.place));
    else waiting.resolve(value);
  }

  async #run() {
    try {
      let found = this.#found();
      if (found instanceof Promise) found = await found;
      const result = await this.#answer(found);
      const value = this.#written ? await this.#written.finish(result) : result;
      const error = this.#pending.isEmpty ? null : await this.#pending.finish();
      if (error) throw error;
      this.#end({ type: 'result', id: this.#message.id, value: value === undefined ? null : value });
    } catch (error) {
      await this.#pending.finish();
      this.#end({ type: 'error', id: this.#message.id, error: describeError(error) });
    }
  }

  // What the file defines: at once where it is known, as it is for most calls.
  #found() {
    const { file, around, type } = this.#message;
    return around || (type === 'call' && isProject(file)) ? this.#foundInParts() : definition(file);
  }

  // A file of the project's has many routes; `around` names a file whose middleware is outside.
  async #foundInParts() {
    const { file, around, type, run } = this.#message;
    const whole = await definition(file);
    const found = type === 'call' && isProject(file) ? await findRoute(whole, run.step) : whole;
    if (!around) return found;
    const outer = (await definition(around)).middleware;
    const inside = (part) => ({ ...part, middleware: [...outer, ...part.middleware] });
    return { ...inside(found), triggers: found.triggers?.map(inside) };
  }

  #end(message) {
    if (this.#isOver) return;
    this.#send(message);
    this.#isOver = true;
    this.#onEnd();
  }

  #answer(found) {
    const { type } = this.#message;
    if (type === 'access') return allows(this.#message, found);
    if (type === 'hook') return callHook(this.#message, found, this.#makeContext());
    if (type === 'authenticate') return authenticate(this.#message, found, () => this.#makeContext());
    return type === 'around' ? this.#around(found) : this.#handle(found);
  }

  #around(found) {
    const next = (request) => this.#request('next', [request]);
    return within(this.#message.run, () => callAround(this.#message, found, this.#makeContext(this.#message.input), next));
  }

  #handle(found) {
    const { run } = this.#message;
    return within(run, () => (found.triggers ? this.#handleTrigger(found) : this.#handleClassic(found)));
  }

  #handleTrigger({ triggers }) {
    const { run, input, request } = this.#message;
    let given = input ?? undefined;
    if (run.trigger === 'http') {
      this.#written = makeResponse(this.#request);
      given = httpArguments(input, request, this.#written.response);
    }
    return callTriggered(triggers, run, given, this.#makeContext(given));
  }

  #handleClassic({ handler, middleware }) {
    const { run, input } = this.#message;
    if (typeof handler !== 'function') throw new TypeError('the file has no handler any more');
    const context = this.#makeContext(input);
    const isAlone = run.trigger === 'cron' && handler.length < 2;
    const call = () => (isAlone ? handler(context) : handler(input ?? null, context));
    const link = async (index) =>
      index < middleware.length ? middleware[index](input, context, () => link(index + 1)) : call();
    return middleware.length ? link(0) : call();
  }

  #makeContext(given) {
    this.#context = makeContext(this.#message.run, { request: this.#request, log: this.#log }, given);
    return this.#context;
  }

  #request = (method, args) => {
    const place = new Error(); // its stack is written only where it is needed, which is slow
    return this.#pending.start((resolve, reject) => {
      if (this.#isOver) throw new Error(`${method} was called after its run had ended`);
      const request = ++this.#requests;
      this.#send({ type: 'request', id: this.#message.id, request, method, args });
      this.#waiting.set(request, { resolve, reject, place });
    });
  };

  #log = (level, message, data) => {
    const text = typeof message === 'string' ? message : described(message);
    const frame = { type: 'log', id: this.#message.id, level, message: text };
    try {
      this.#send({ ...frame, data: loggable(data) });
    } catch {
      this.#send({ ...frame, data: described(data) }); // a circle, a BigInt: it must not fail the run
    }
  };
}

function described(value) {
  try {
    return inspect(value);
  } catch (error) {
    return `<a value that can not be shown: ${error?.name}>`; // its own inspect method threw
  }
}

function revived({ name, message, code }, place) {
  const error = new Error(message);
  error.name = name;
  if (code) error.code = code;
  error.stack = `${name}: ${message}\n${place.stack.split('\n').slice(2).join('\n')}`;
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
