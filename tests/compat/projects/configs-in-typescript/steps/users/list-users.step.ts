import { z } from 'zod'
import { userSchema } from './schemas'

export const config = {
  type: 'api',
  name: 'ListUsersTs',
  path: '/ts/users',
  method: 'GET',
  emits: [],
  responseSchema: { 200: z.array(userSchema) },
}

export const handler = async () => ({ status: 200, body: 'not a list at all' })
