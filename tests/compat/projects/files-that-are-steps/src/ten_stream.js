export const config = { name: 'ten', schema: {}, baseConfig: { storageType: 'default' } }
