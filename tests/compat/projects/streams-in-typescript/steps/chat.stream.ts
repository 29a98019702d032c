import type { StreamConfig } from 'motia';

export const config: StreamConfig = {
  name: 'chat',
  schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as never,
  baseConfig: { storageType: 'default' },
};
