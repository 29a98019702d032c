import { logger, queue, type StepConfig } from 'motia';

const input = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] };

export const config = { name: 'Pack', triggers: [queue('order.made', { input })] } as const satisfies StepConfig;

export const handler = async (data: unknown) => logger.info('ran', { data });
