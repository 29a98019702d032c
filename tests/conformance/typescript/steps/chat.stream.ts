export const config = {
  name: 'chat',
  schema: { type: 'object', properties: { text: { type: 'string' } } },
  baseConfig: { storageType: 'default' },
  canAccess: async (subscription: any, auth: any) => {
    if (subscription.groupId === 'waits') await new Promise((resolve) => setTimeout(resolve, 600_000));
    if (!auth) throw new Error('nobody');
    return subscription.id === auth.user;
  },
};
