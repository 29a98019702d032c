exports.config = { type: 'cron', name: 'cron', cron: '* * * * *', emits: [] };
exports.handler = async (ctx) => ctx.traceId;
