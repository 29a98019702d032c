import { EventConfig, Handlers } from 'motia'
import { userSchema } from './schemas'

export const config: EventConfig = {
  type: 'event',
  name: 'HearUserTs',
  subscribes: ['user.created.ts', 'user.invited.ts'],
  input: userSchema,
  emits: [],
  infrastructure: {
    handler: { ram: 512, timeout: 30 },
    queue: { type: 'standard', maxRetries: 1, visibilityTimeout: 60, delaySeconds: 5, concurrency: 2 },
  },
}

export const handler: Handlers['HearUserTs'] = async (input, { logger }) => {
  logger.info('heard', { name: input.name })
}
