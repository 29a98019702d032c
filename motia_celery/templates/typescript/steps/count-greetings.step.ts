// Every minute: how many greetings there are.
import type { CronConfig, Handlers } from 'motia';

export const config: CronConfig = {
  type: 'cron',
  name: 'count-greetings',
  description: 'Counts the greetings',
  cron: '* * * * *',
  emits: [],
  flows: ['greetings'],
};

export const handler: Handlers['count-greetings'] = async ({ state, logger }) => {
  const greetings = await state.getGroup('greetings');
  logger.info('Greetings so far', { count: greetings.length });
};
