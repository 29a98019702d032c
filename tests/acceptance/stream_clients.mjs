// Motia's own clients, unmodified, told what to do in lines of JSON.
import { createInterface } from 'node:readline';

import { Stream as BrowserStream } from '@motiadev/stream-client-browser';
import { Stream as NodeStream } from '@motiadev/stream-client-node';
import { WebSocket } from 'ws';

globalThis.WebSocket ??= WebSocket; // browsers and newer Nodes have one
// The clients listen to no errors. In a browser that does no harm; in Node the first connection
// that is refused would end the process before they can try again.
const emit = WebSocket.prototype.emit;
WebSocket.prototype.emit = function (type, ...values) {
  return type === 'error' && !this.listenerCount('error') ? false : emit.call(this, type, ...values);
};

const clients = new Map();
const followed = new Map();

const actions = {
  open: ({ client, kind, url, protocols }) =>
    clients.set(client, new (kind === 'node' ? NodeStream : BrowserStream)(url, { protocols })),
  follow: ({ client, as, stream, group, id }) => {
    const socket = clients.get(client);
    const subscription = id ? socket.subscribeItem(stream, group, id) : socket.subscribeGroup(stream, group);
    const events = [];
    for (const type of ['note', 'error']) subscription.onEvent(type, (data) => events.push({ type, data }));
    followed.set(as, { subscription, events });
  },
  leave: ({ as }) => {
    followed.get(as).subscription.close();
    followed.delete(as);
  },
  // As when the network breaks: nobody says goodbye.
  drop: ({ client }) => {
    const { ws } = clients.get(client).ws;
    if (ws.readyState !== WebSocket.OPEN) return;
    if (ws.terminate) ws.terminate();
    else ws.close();
  },
  mark: () => clients.forEach(({ ws }) => (ws.ws.marked = true)),
  // How many still have the socket that they had then.
  marked: () => [...clients.values()].filter(({ ws }) => ws.ws.marked).length,
  states: () =>
    Object.fromEntries(
      [...followed].map(([as, { subscription, events }]) => [as, { state: subscription.getState(), events }]),
    ),
};

for await (const line of createInterface({ input: process.stdin })) {
  const answers = JSON.parse(line).map((command) => actions[command.do](command));
  process.stdout.write(`${JSON.stringify(answers.at(-1) ?? null)}\n`);
}
process.exit(0);
