import type { ApiRouteConfig, Handlers } from 'motia';

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'Say',
  path: '/rooms/:room/:id',
  method: 'PUT',
  emits: [],
};

export const handler: Handlers['Say'] = async (req, { streams }) => {
  const { room, id } = req.pathParams;
  await streams.chat.send({ groupId: room, id }, { type: 'typing', data: { id } });
  return { status: 200, body: await streams.chat.set(room, id, req.body) };
};
