// POST /greetings: takes a name, answers at once, and lets an event do the work.
import type { ApiRouteConfig, Handlers } from 'motia';

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'create-greeting',
  description: 'Takes a name',
  method: 'POST',
  path: '/greetings',
  bodySchema: {
    type: 'object',
    properties: { name: { type: 'string', minLength: 1 } },
    required: ['name'],
  },
  responseSchema: {
    202: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
  },
  validateBody: true,
  emits: ['greeting.asked'],
  flows: ['greetings'],
};

export const handler: Handlers['create-greeting'] = async (req, { emit, logger, runId }) => {
  const greeting = { id: runId, name: req.body.name };
  await emit({ topic: 'greeting.asked', data: greeting });
  logger.info('Asked for a greeting', greeting);
  return { status: 202, body: { id: greeting.id } };
};
