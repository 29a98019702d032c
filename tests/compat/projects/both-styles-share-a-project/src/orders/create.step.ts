import type { ApiRouteConfig, Handlers } from 'motia';

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'Create',
  path: '/orders',
  method: 'POST',
  emits: ['order.created'],
};

export const handler: Handlers['Create'] = async (req, { emit, state }) => {
  await state.set('orders', req.body.id, req.body);
  await emit({ topic: 'order.created', data: { id: req.body.id } });
  return { status: 201, body: req.body };
};
