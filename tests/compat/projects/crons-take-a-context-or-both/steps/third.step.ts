import { cron, type StepConfig } from 'motia';

export const config = { name: 'Third', triggers: [cron('0 0 9 * * *')] } as const satisfies StepConfig;

export const handler = async (input: unknown, { logger }: any) => logger.info('third', { input: input ?? null });
