import { ApiRouteConfig, Handlers } from 'motia'
import { z } from 'zod'
import { userSchema } from './schemas'

const errorSchema = z.object({ error: z.string() })

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'CreateUserTs',
  description: 'Creates a user',
  path: '/ts/users/:tenant',
  method: 'POST',
  queryParams: [{ name: 'notify', description: 'Whether to send a mail' }],
  bodySchema: userSchema,
  responseSchema: { 201: userSchema, 400: errorSchema },
  emits: ['user.created.ts', { topic: 'user.invited.ts', label: 'Invited', conditional: true }],
  virtualEmits: ['mail.sent'],
  virtualSubscribes: ['user.requested'],
  flows: ['users'],
  includeFiles: ['./templates/*.html'],
}

export const handler: Handlers['CreateUserTs'] = async (req) => ({ status: 201, body: req.body })
