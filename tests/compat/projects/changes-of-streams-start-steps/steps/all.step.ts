import { stateManager, type StepConfig, stream } from 'motia';

export const config = {
  name: 'All',
  triggers: [stream('todo'), stream('todo', { groupId: 'done', itemId: '3' })],
} as const satisfies StepConfig;

export const handler = async (input: any, ctx: any) => {
  const { streamName, groupId, id, event } = input;
  await stateManager.set(`heard-${ctx.trigger.index}`, `${groupId}-${id}-${event.type}`, [streamName, event.data]);
};
