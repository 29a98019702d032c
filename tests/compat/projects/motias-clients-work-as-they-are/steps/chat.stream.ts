import type { StreamConfig } from 'motia';

export const config: StreamConfig = {
  name: 'chat',
  schema: null as never,
  baseConfig: { storageType: 'default' },
  canAccess: ({ groupId }: any, { user }: any) => groupId !== 'secret' || user === 'admin',
};
