// JavaScript: keeps what Python found, for the route that reads it.
export const config = {
  type: 'event',
  name: 'keep-greeting',
  description: 'Keeps the greeting',
  subscribes: ['greeting.translated'],
  emits: [],
  flows: ['greetings'],
};

export const handler = async (greeting, { state, logger, traceId }) => {
  await state.set('greetings', greeting.id, { ...greeting, traceId });
  logger.info('Kept the greeting', { id: greeting.id });
};
