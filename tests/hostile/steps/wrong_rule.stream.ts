export const config = { name: 'wrong', schema: {}, canAccess: 'admins', baseConfig: { storageType: 'custom', factory: () => 1 } };
