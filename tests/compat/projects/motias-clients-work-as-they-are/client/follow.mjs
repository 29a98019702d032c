import { Stream } from '@motiadev/stream-client-node';

const [url, token] = process.argv.slice(2);
const tell = (what) => (data) => console.log(JSON.stringify([what, data ?? null]));

const stream = new Stream(url, { protocols: ['Authorization', token] });
const room = stream.subscribeGroup('chat', 'lobby', 'rank');
room.addChangeListener(tell('room'));
room.onEvent('typing', tell('typing'));
const message = stream.subscribeItem('chat', 'lobby', 'm1');
message.addChangeListener(tell('message'));
stream.subscribeGroup('chat', 'secret').onEvent('error', tell('error'));
