// Frames: a 4-byte big-endian length, then UTF-8 JSON. docs/frames.md describes them.
import net from 'node:net';

export const PROTOCOL = 1;
export const DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024;

const BYTES = '$bytes';
const OBJECT = '$object';
const DEEP = 50;
const DEEPEST = 250; // what the other side can read, and pass on

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

// Whether JSON.stringify alone writes the value as it should cross: no bytes, no marks, nothing
// with a JSON form of its own. A circle is deep, and left to the slow way, which complains of it.
function isSimple(value, depth = 0) {
  if (value === null || typeof value !== 'object') return true;
  if (depth > DEEP || typeof value.toJSON === 'function') return false;
  if (Array.isArray(value)) return value.every((part) => isSimple(part, depth + 1));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return false;
  for (const key in value) {
    if (key === BYTES || key === OBJECT || !isSimple(value[key], depth + 1)) return false;
  }
  return true;
}

function isDeeper(value, levels) {
  if (value === null || typeof value !== 'object' || bytesOf(value)) return false;
  if (levels === 0) return true;
  const shown = typeof value.toJSON === 'function' ? value.toJSON() : value;
  if (shown === null || typeof shown !== 'object') return false;
  return Object.values(shown).some((part) => isDeeper(part, levels - 1));
}

// The careful way complains of a circle before its depth is looked at.
function carefully(message) {
  const text = JSON.stringify(message, replace);
  if (!isDeeper(message, DEEPEST)) return text;
  const error = new RangeError(`the value is nested more than ${DEEPEST} levels deep`);
  error.code = 'FRAME_TOO_DEEP';
  throw error;
}

// Half of a surrogate pair is no character, and JSON.stringify writes it as an escape that is no
// UTF-8 text. It is sent as what Node's own encoders make of it.
const wellFormed = (text) =>
  text.includes('\\ud')
    ? text.replace(/\\(ud[89a-f][0-9a-f]{2}|.)/g, (escape, code) => (code.length > 1 ? '\ufffd' : escape))
    : text;

export function encode(message, limit = DEFAULT_LIMIT_BYTES) {
  const text = wellFormed(isSimple(message) ? JSON.stringify(message) : carefully(message));
  const length = Buffer.byteLength(text);
  if (length > limit) {
    const error = new RangeError(`the value is ${length} bytes as JSON; ${limit} are allowed`);
    error.code = 'FRAME_TOO_LARGE';
    throw error;
  }
  const frame = Buffer.allocUnsafe(4 + length);
  frame.writeUInt32BE(length);
  frame.write(text, 4);
  return frame;
}

export function decode(text) {
  const message = JSON.parse(text);
  return text.includes(`"${BYTES}"`) || text.includes(`"${OBJECT}"`) ? revive(message) : message;
}

// A socket that sends and receives messages; one write for all that is sent in a turn.
export class FrameSocket {
  #socket;
  #out = [];
  #chunks = [];
  #size = 0;
  #wanted = 4; // bytes to wait for
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
    this.#out.push(frame);
  }

  #flush() {
    const out = this.#out;
    this.#out = [];
    this.#socket.write(out.length > 1 ? Buffer.concat(out) : out[0]);
  }

  // A large frame comes in many chunks; they are joined once, when it is whole.
  #receive(chunk, onMessage) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return;
    const data = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : chunk;
    const start = this.#deliver(data, onMessage);
    this.#size = data.length - start;
    this.#chunks = this.#size ? [data.subarray(start)] : [];
  }

  // Hands on every whole message; gives where the first one begins that is not.
  #deliver(data, onMessage) {
    let start = 0;
    for (;;) {
      this.#wanted = 4;
      if (data.length - start < 4) return start;
      const length = data.readUInt32BE(start);
      if (length > this.limit) throw new RangeError(`a frame of ${length} bytes came in`);
      this.#wanted = 4 + length;
      if (data.length - start < this.#wanted) return start;
      const body = data.toString('utf8', start + 4, start + this.#wanted);
      start += this.#wanted;
      onMessage(decode(body));
    }
  }
}
