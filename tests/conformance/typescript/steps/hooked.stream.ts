export const config = {
  name: 'hooked',
  onJoin: async (subscription: any, context: any, auth: any) => {
    if (!auth) throw new Error('nobody');
    const before = await context.state.get('joined', subscription.groupId);
    context.logger.info('joined');
    return { unauthorized: auth.user === before };
  },
  onLeave: (subscription: any, context: any) => {
    context.state.delete('joined', subscription.groupId); // finished before the answer
  },
};
