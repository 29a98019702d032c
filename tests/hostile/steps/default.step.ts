export default {
  config: { type: 'event', name: 'default', subscribes: ['x'], emits: [] },
  handler: async (input: { n: number }) => ({ n: input.n + 1 }),
};
