exports.config = { name: 'counters', schema: null, baseConfig: { storageType: 'default' } };
