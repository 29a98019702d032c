import { cron, http, logger, multiTriggerStep, queue, stateManager } from 'motia';

export const stepConfig = {
  name: 'Dual',
  triggers: [http('GET', '/dual/:id'), queue('dual'), cron('0 0 9 * * *')],
  enqueues: ['dual'],
};

export const { config, handler } = multiTriggerStep(stepConfig)
  .onHttp(async ({ request }) => ({ status: 200, body: { id: request.pathParams.id } }))
  .onQueue(async (input) => {
    await stateManager.set('dual', 'last', input);
  })
  .onCron(async () => {
    logger.info('tick', { last: await stateManager.get('dual', 'last') });
  })
  .handlers();
