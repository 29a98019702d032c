import type { StreamConfig } from 'motia';
import { isMember } from '../lib/rooms';

export const config: StreamConfig = {
  name: 'chat',
  schema: null as never,
  baseConfig: { storageType: 'default' },
  canAccess: async (subscription, authContext) => isMember(authContext as any, subscription.groupId),
};
