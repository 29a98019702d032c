import { cron, http, logger, queue, type StepConfig } from 'motia';

export const config = {
  name: 'Matched',
  triggers: [http('POST', '/matched'), queue('matched'), cron('0 0 9 * * *')],
} as const satisfies StepConfig;

export const handler = async (_input: unknown, ctx: any) =>
  ctx.match({
    http: async ({ request }: any) => ({ status: 201, body: request.body }),
    queue: async (input: any) => logger.info('queue', input),
    cron: async () => logger.info('cron'),
  });
