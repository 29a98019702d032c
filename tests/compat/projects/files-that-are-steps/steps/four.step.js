export const config = { type: 'cron', name: 'FourJs', cron: '0 0 * * *', emits: [] }
export const handler = async () => {}
