import { cron, http, queue, type StepConfig } from 'motia';

export const config = {
  name: 'Seen',
  triggers: [http('POST', '/seen/:id'), queue('seen'), cron('0 0 9 * * *')],
} as const satisfies StepConfig;

export const handler = async (input: any, ctx: any) => {
  const { is } = ctx;
  const told = {
    type: ctx.trigger.type,
    index: ctx.trigger.index,
    is: [is.http(input), is.queue(input), is.cron(input), is.state(input), is.stream(input)],
    data: ctx.getData() ?? null,
    trace: ctx.traceId.length > 0,
  };
  ctx.logger.info('seen', told);
  return { status: 200, body: told };
};
