import type { ApiRouteConfig, Handlers } from 'motia';

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'Say',
  path: '/chat/:room',
  method: 'POST',
  emits: [],
};

export const handler: Handlers['Say'] = async (req, { streams }) => {
  const room = req.pathParams.room;
  const missing = await streams.chat.get(room, '1');
  const set = await streams.chat.set(room, '1', { text: req.body.text });
  const nothing = await streams.chat.set(room, '2', null as never);
  await streams.chat.send({ groupId: room }, { type: 'typing', data: { user: 'ann' } });
  const group = await streams.chat.getGroup(room);
  const got = await streams.chat.get(room, '1');
  const removed = await streams.chat.delete(room, '1');
  const again = await streams.chat.delete(room, '1');
  return { status: 200, body: { missing, set, nothing, group, got, removed, again } };
};
