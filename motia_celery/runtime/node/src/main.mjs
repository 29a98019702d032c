// The Node host: loads Step files and calls their handlers, many at once, for its parent.
import { register } from 'node:module';

import { prune } from './cache.mjs';
import { Call, current } from './call.mjs';
import { install } from './commonjs.mjs';
import { capture } from './console.mjs';
import { describe } from './definitions.mjs';
import { describeError } from './errors.mjs';
import { FrameSocket, PROTOCOL } from './frames.mjs';

const fd = Number(process.env.MOTIA_HOST_FD);
delete process.env.MOTIA_HOST_FD;
const exit = process.exit.bind(process);
const calls = new Map();

const socket = new FrameSocket(fd, { onMessage, onEnd: () => exit(0) });
const send = (message) => socket.send(message);

const handlers = {
  hello: ({ limit_bytes: limit }) => {
    if (limit) socket.limit = limit;
  },
  load: ({ id, files }) => files.forEach((file) => load(id, file)),
  call: answerCall,
  access: answerCall,
  hook: answerCall,
  authenticate: answerCall,
  around: answerCall,
  response: (message) => calls.get(message.id)?.answer(message),
  gone: ({ id }) => calls.get(id)?.leave(),
  cancel: ({ id }) => calls.get(id)?.fail(cancelled()),
  ping: ({ id }) => send({ type: 'pong', id }),
};

function onMessage(message) {
  handlers[message.type]?.(message);
}

async function load(id, file) {
  try {
    send({ type: 'loaded', id, file, definition: await describe(file) });
  } catch (error) {
    send({ type: 'loaded', id, file, error: describeError(error) });
  }
}

function answerCall(message) {
  const { id } = message;
  const call = new Call(message, send, () => calls.delete(id));
  calls.set(id, call);
  call.start();
}

function cancelled() {
  const error = new Error('the run was cancelled');
  error.name = 'Cancelled';
  return error;
}

// An error in a timer or an event listener ends the run that it came from, not the process.
function stray(error) {
  const call = current.getStore();
  if (call && !call.isOver) call.fail(error);
  else console.error('An error outside of any run, or after its end:', error);
}

// A Step must not end the process that other Steps run in.
process.exit = (code) => {
  throw new Error(`process.exit(${code ?? ''}) was called: a Step must not end its process`);
};
process.on('uncaughtException', stray);
process.on('unhandledRejection', stray);
// The parent decides when this process ends; a terminal signals both.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

install();
capture();
setTimeout(prune, 5000).unref(); // once the app runs
const { port1, port2: progress } = new MessageChannel();
port1.on('message', () => send({ type: 'progress' })).unref();
register('./hooks.mjs', import.meta.url, {
  data: { parent: process.ppid, progress },
  transferList: [progress],
});
send({ type: 'hello', protocol: PROTOCOL, language: 'javascript', version: process.versions.node });
