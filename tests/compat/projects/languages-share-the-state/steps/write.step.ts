export const config = {
  type: 'event',
  name: 'Write',
  subscribes: ['write'],
  emits: ['read'],
};

export const handler = async (input: any, { state, emit }: any) => {
  const set = await state.set('shared', 'order', { id: input.id, lines: [1, 2.5, null], paid: true });
  await state.set('shared', 'note', 'héllo');
  const taken = await state.delete('shared', 'note');
  await emit({ topic: 'read', data: { set, taken } });
};
