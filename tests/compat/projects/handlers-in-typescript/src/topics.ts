export const orderTopic = 'order.created' as const
