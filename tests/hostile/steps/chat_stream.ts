export const config = {
  name: 'chat', schema: { type: 'object', properties: {} }, baseConfig: { storageType: 'default' },
  canAccess: () => true,
};
