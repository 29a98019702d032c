export const config = { type: 'cron', name: 'FiveJs', cron: '0 0 * * *', emits: [] }
export const handler = async () => {}
