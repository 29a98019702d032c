import { cron, http, logger, type StepConfig } from 'motia';

export const config = {
  name: 'Digest',
  triggers: [cron('0 0 9 * * *'), http('GET', '/digest'), cron('0 0 9 * * *')],
} as const satisfies StepConfig;

export const handler = async (_input: unknown, { trigger }: any) => logger.info('digest', { index: trigger.index });
