// Frames: a 4-byte big-endian length, then UTF-8 JSON. docs/frames.md describes them.
import net from 'node:net';

export const PROTOCOL = 1;
export const DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024;

const BYTES = '$bytes';
const OBJECT = '$object';

const isPlain = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// An object that looks like a mark of ours travels inside one, so that it comes out unchanged.
const isMark = (value) => {
  if (!isPlain(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === BYTES || keys[0] === OBJECT);
};

const bytesOf = (value) => {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  return null;
};

class Mark {
  constructor(key, value) {
    this[key] = value;
  }
}

function replace(key, value) {
  const raw = this[key]; // before toJSON, which a Buffer has
  const bytes = raw !== null && typeof raw === 'object' ? bytesOf(raw) : null;
  if (bytes) return new Mark(BYTES, bytes.toString('base64'));
  if (this instanceof Mark || raw instanceof Mark) return value;
  return isMark(value) ? new Mark(OBJECT, value) : value;
}

// What is inside an escaped object is an object of the user's own, whose values may be marks.
function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (!isPlain(value)) return value;
  if (isMark(value)) {
    if (BYTES in value) return Buffer.from(value[BYTES], 'base64');
    return reviveValues(value[OBJECT]);
  }
  return reviveValues(value);
}

const reviveValues = (object) => {
  const out = {};
  for (const [key, value] of Object.entries(object)) {
    // `out.__proto__ = …` would set the prototype.
    Object.defineProperty(out, key, {
      value: revive(value), writable: true, enumerable: true, configurable: true,
    });
  }
  return out;
};

export function encode(message, limit = DEFAULT_LIMIT_BYTES) {
  const body = Buffer.from(JSON.stringify(message, replace));
  if (body.length > limit) {
    const error = new RangeError(`the value is ${body.length} bytes as JSON; ${limit} are allowed`);
    error.code = 'FRAME_TOO_LARGE';
    throw error;
  }
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32BE(body.length);
  return [head, body];
}

export function decode(body) {
  const text = body.toString('utf8');
  const message = JSON.parse(text);
  return text.includes(`"${BYTES}"`) || text.includes(`"${OBJECT}"`) ? revive(message) : message;
}

// A socket that sends and receives messages; one write for all that is sent in a turn.
export class FrameSocket {
  #socket;
  #out = [];
  #chunks = [];
  #size = 0;
  limit = DEFAULT_LIMIT_BYTES;

  constructor(fd, { onMessage, onEnd }) {
    this.#socket = new net.Socket({ fd, readable: true, writable: true });
    this.#socket.on('data', (chunk) => {
      try {
        this.#receive(chunk, onMessage);
      } catch (error) {
        console.error('The parent sent what is no frame:', error);
        onEnd(); // nothing that follows can be understood
      }
    });
    this.#socket.on('end', onEnd);
    this.#socket.on('error', onEnd);
  }

  send(message) {
    const frame = encode(message, this.limit);
    if (!this.#out.length) setImmediate(() => this.#flush());
    this.#out.push(...frame);
  }

  #flush() {
    const out = this.#out;
    this.#out = [];
    this.#socket.write(Buffer.concat(out));
  }

  #receive(chunk, onMessage) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // A large frame comes in many chunks; they are joined once, when it is whole.
    while (this.#size >= 4) {
      if (this.#chunks[0].length < 4) this.#join();
      const length = this.#chunks[0].readUInt32BE(0);
      if (length > this.limit) throw new RangeError(`a frame of ${length} bytes came in`);
      if (this.#size < length + 4) return;
      this.#join();
      const whole = this.#chunks[0];
      const rest = whole.subarray(length + 4);
      this.#chunks = rest.length ? [rest] : [];
      this.#size = rest.length;
      onMessage(decode(whole.subarray(4, length + 4)));
    }
  }

  #join() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
