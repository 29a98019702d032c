import { StreamConfig } from 'motia'
import { userSchema } from './schemas'

export const config: StreamConfig = {
  name: 'users',
  schema: userSchema,
  baseConfig: { storageType: 'default' },
  canAccess: ({ groupId }, auth) => groupId === 'public' || auth?.role === 'admin',
}
