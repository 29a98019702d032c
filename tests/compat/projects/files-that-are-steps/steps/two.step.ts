export const config = { type: 'cron', name: 'TwoTs', cron: '0 0 * * *', emits: [] }
export const handler = async () => {}
