import { logger, type StepConfig, stream } from 'motia';

export const config = {
  name: 'Tell',
  triggers: [stream('orders', { groupId: 'packed' })],
} as const satisfies StepConfig;

export const handler = async (input: any) => logger.info('packed', input.event.data);
