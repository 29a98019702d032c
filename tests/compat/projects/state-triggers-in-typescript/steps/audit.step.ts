import { http, logger, state, stateManager, type StepConfig } from 'motia';

export const config = {
  name: 'Audit',
  triggers: [http('POST', '/audit'), state((input: any) => input.group_id === 'users')],
} as const satisfies StepConfig;

export const handler = async (input: any, ctx: any) =>
  ctx.match({
    http: async () => {
      await stateManager.set('users', 'ann', { age: 1 });
      await stateManager.update('users', 'ann', [{ type: 'increment', path: 'age', by: 1 }]);
      return { status: 200, body: {} };
    },
    state: async ({ type, group_id, item_id, old_value, new_value }: any) =>
      logger.info('changed', { type, group_id, item_id, old_value, new_value }),
  });
