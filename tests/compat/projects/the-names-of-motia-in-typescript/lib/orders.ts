import { enqueue, logger, stateManager, type StepConfig } from 'motia';

export const topics = ['order.taken'] satisfies StepConfig['flows'];

export async function take(order: { id: string }) {
  logger.info('Taking', order);
  const { old_value, new_value } = await stateManager.set('orders', order.id, order);
  await enqueue({ topic: 'order.taken', data: order });
  return { old_value, new_value };
}
