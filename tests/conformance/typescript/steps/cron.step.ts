export const config = { type: 'cron', name: 'cron', cron: '@daily' };

export const handler = async (context: any) => context.runId;
