import { http, type StepConfig, stateManager } from 'motia';

export const config = { name: 'State', triggers: [http('POST', '/state')] } as const satisfies StepConfig;

export const handler = async () => {
  const set = await stateManager.set('orders', '1', { count: 1 });
  const update = await stateManager.update('orders', '1', [
    { type: 'increment', path: 'count', by: 2 },
    { type: 'merge', value: { paid: true } },
  ]);
  const listed = await stateManager.list('orders');
  const groups = await stateManager.listGroups();
  const deleted = await stateManager.delete('orders', '1');
  const missing = await stateManager.get('orders', '1');
  return { status: 200, body: { set, update, listed, groups, deleted, missing } };
};
