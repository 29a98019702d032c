// Hears of each name, and writes its greeting. If it throws, it is tried again.
import type { EventConfig, Handlers } from 'motia';

export const config: EventConfig = {
  type: 'event',
  name: 'write-greeting',
  description: 'Writes the greeting',
  subscribes: ['greeting.asked'],
  input: {
    type: 'object',
    properties: { id: { type: 'string' }, name: { type: 'string' } },
    required: ['id', 'name'],
  },
  emits: [],
  flows: ['greetings'],
};

export const handler: Handlers['write-greeting'] = async (greeting, { state, logger, attempt }) => {
  const text = `Hello, ${greeting.name}!`;
  await state.set('greetings', greeting.id, { ...greeting, text });
  logger.info(text, { attempt });
};
