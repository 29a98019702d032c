import { NoopConfig } from 'motia'

export const config: NoopConfig = {
  type: 'noop',
  name: 'WebhookTs',
  virtualSubscribes: ['mail.sent'],
  virtualEmits: ['user.requested'],
  flows: ['users'],
}
