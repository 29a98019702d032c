export const config = { type: 'cron', name: 'ThreeTs', cron: '0 0 * * *', emits: [] }
export const handler = async () => {}
