import { logger, queue, type StepConfig } from 'motia';

export const config = { name: 'GoOn', triggers: [queue('go.on')] } as const satisfies StepConfig;

export const handler = async (_input: unknown, ctx: any) => logger.info('on', { trace: ctx.traceId });
