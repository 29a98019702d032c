import type { ApiRouteConfig, Handlers } from 'motia';

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'ReadNothing',
  path: '/nothing',
  method: 'GET',
  emits: [],
};

export const handler: Handlers['ReadNothing'] = async (_req, { state }) => {
  const missing = await state.get('orders', 'none');
  const deleted = await state.delete('orders', 'none');
  await state.set('orders', '1', null);
  const emptied = await state.get('orders', '1');
  return { status: 200, body: [missing, deleted, emptied, await state.getGroup('none')] };
};
