export const config = {
  name: 'reports',
  schema: { type: 'object', properties: { lines: { type: 'array' } } },
  baseConfig: { storageType: 'default' },
}
