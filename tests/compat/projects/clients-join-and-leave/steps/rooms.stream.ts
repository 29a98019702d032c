import type { StreamConfig } from 'motia';

export const config: StreamConfig = {
  name: 'rooms',
  baseConfig: { storageType: 'default' },
  onJoin: async ({ groupId, id }: any, { state }: any, authContext: any) => {
    await state.set('joined', authContext.user, [groupId, id ?? null]);
    return { unauthorized: authContext.user !== 'ann' };
  },
  onLeave: async ({ groupId }: any, { state }: any, authContext: any) => {
    await state.set('left', authContext.user, groupId);
  },
};
