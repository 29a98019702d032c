export const config = { type: 'cron', name: 'SyntaxTs',
export const handler =
