export const config = { name: 'nine', schema: {}, baseConfig: { storageType: 'default' } }
