// GET /greetings/:id: the greeting, once it is written.
import type { ApiRouteConfig, Handlers } from 'motia';

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'get-greeting',
  description: 'Shows a greeting',
  method: 'GET',
  path: '/greetings/:id',
  emits: [],
  flows: ['greetings'],
};

export const handler: Handlers['get-greeting'] = async (req, { state }) => {
  const greeting = await state.get('greetings', req.pathParams.id);
  if (!greeting) return { status: 404, body: { error: 'There is no such greeting yet' } };
  return { status: 200, body: greeting };
};
