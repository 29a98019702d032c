import { EventConfig, Handlers } from 'motia'

export const config: EventConfig = {
  type: 'event',
  name: 'EmitTs',
  subscribes: ['ts.start'],
  emits: ['ts.next', { topic: 'ts.other', label: 'Other', conditional: true }],
}

export const handler: Handlers['EmitTs'] = async (input, { emit }) => {
  await emit({ topic: 'ts.undeclared', data: {} })
  await emit({ topic: 'ts.next', data: { n: [1, null] }, messageGroupId: 'g' })
  await Promise.all([1, 2].map((n) => emit({ topic: 'ts.other', data: n })))
}
