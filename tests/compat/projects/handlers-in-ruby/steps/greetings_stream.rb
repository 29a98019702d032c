def config
  {
    name: 'greetings',
    schema: { type: 'object', properties: { text: { type: 'string' } } },
    baseConfig: { storageType: 'default' }
  }
end
