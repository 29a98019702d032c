export default {
  config: { type: 'event', name: 'Archive', subscribes: ['report.sent'], emits: [] },
  handler: async (input: any, { state }: any) => {
    await state.set('archive', 'report', input)
  },
}
