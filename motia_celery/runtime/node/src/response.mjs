// The response that a handler writes itself: Motia 1.0's `response` beside the `request`.
//
// Each part is a request to the parent, which answers once the client has room for more.
import { Writable } from 'node:stream';

// What may wait for a client, where the handler does not care what write() returns.
const UNSENT_BYTES = 8 * 1024 * 1024;

class Body extends Writable {
  #request;
  #head;
  #begun = null;
  #leaving = null;
  isLost = false; // something that was written did not reach the client
  isKnown = false; // and the handler knows
  isEnding = false; // the handler has returned

  constructor(request, head) {
    super({ decodeStrings: true });
    this.#request = request;
    this.#head = head;
    super.on('error', () => {}); // without a listener it would be an uncaught one
  }

  get hasBegun() {
    return this.#begun !== null;
  }

  write(chunk, ...rest) {
    if (this.#leaving) {
      this.isKnown = true;
      throw this.#leaving;
    }
    const size = typeof chunk === 'string' ? Buffer.byteLength(chunk) : (chunk?.byteLength ?? 0);
    if (this.writableLength && this.writableLength + size > UNSENT_BYTES) {
      throw new RangeError('more was written than the client reads: await response.stream(…), or pipe to it');
    }
    this.#begin();
    return super.write(chunk, ...rest);
  }

  // The client has left.
  leave() {
    const error = new Error('the client has closed the connection');
    error.name = 'ClientGoneError';
    this.#leaving = error;
    if (this.writableFinished) return;
    if (this.writableLength) this.isLost = true;
    if (this.#isWatched()) this.isKnown = true;
    this.destroy(error);
  }

  // Whether somebody beside us listens for the end.
  #isWatched() {
    return this.listenerCount('error') > 1 || this.listenerCount('close') > (this.isEnding ? 1 : 0);
  }

  knowing(promise) {
    return promise.catch((error) => {
      this.isKnown = true;
      throw error;
    });
  }

  _write(chunk, _, done) {
    this.#send(chunk, done);
  }

  _writev(parts, done) {
    this.#send(Buffer.concat(parts.map(({ chunk }) => chunk)), done);
  }

  _final(done) {
    this.#begin();
    this.#begun.then(() => this.#request('response.close', [])).then(() => done(), done);
  }

  // What begins the response is sent only once the first part is there.
  #begin() {
    const { status, headers } = this.#head;
    this.#begun ??= this.#request('response.start', [status ?? 200, headers]);
    this.#begun.catch(() => {}); // whoever writes hears of it
  }

  async #send(chunk, done) {
    try {
      await this.#begun;
      await this.#request('response.write', [chunk]);
      done();
    } catch (error) {
      this.isLost = true;
      if (this.#isWatched()) this.isKnown = true;
      done(error);
    }
  }
}

// { response, finish, leave }: `finish` gives the run's result, once what was written is sent.
export function makeResponse(request) {
  const head = { status: null, headers: {} };
  const body = new Body(request, head);
  const stream = callable(body);
  const change = (make) => (value) => {
    if (body.hasBegun) throw new Error('the response has begun: set the status and the headers before');
    make(value);
    return response;
  };
  const response = {
    status: change((code) => void (head.status = code)),
    headers: change((headers) => void Object.assign(head.headers, headers)),
    stream,
    writer: { stream, write: (chunk) => body.write(chunk), close: () => body.end() },
    close: () => void body.end(),
  };
  return { response, finish: (result) => finish(body, head, result), leave: () => body.leave() };
}

async function finish(body, head, result) {
  const isTouched = head.status !== null || Object.keys(head.headers).length > 0;
  if (!body.hasBegun && !body.writableEnded) {
    if (!isTouched) return result;
    if (result !== null && result !== undefined) {
      if (typeof result !== 'object') return result;
      return { status: head.status ?? 200, ...result, headers: { ...head.headers, ...result.headers } };
    }
  }
  await ended(body);
  if (body.isLost && !body.isKnown) throw body.errored;
  return null;
}

function ended(body) {
  if (body.destroyed || body.writableFinished) return undefined;
  return new Promise((resolve) => {
    body.isEnding = true;
    body.once('close', resolve);
    if (!body.writableEnded) body.end();
  });
}

// A stream that can be called as well: `await response.stream(parts)` writes all of them.
function callable(body) {
  const call = (source) => body.knowing(pour(body, source));
  return new Proxy(call, {
    get(_, name) {
      const value = body[name];
      return typeof value === 'function' ? value.bind(body) : value;
    },
    set(_, name, value) {
      body[name] = value;
      return true;
    },
    has: (_, name) => name in body,
    getPrototypeOf: () => Body.prototype,
  });
}

async function pour(body, source) {
  if (typeof source === 'function') return void (await source(body));
  const parts = typeof source === 'string' || ArrayBuffer.isView(source) ? [source] : source;
  for await (const part of parts) await put(body, part);
  return undefined;
}

const put = (body, chunk) =>
  new Promise((resolve, reject) => {
    body.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
