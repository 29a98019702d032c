import { EventConfig } from 'motia'

export const config: EventConfig = {
  type: 'event',
  name: 'HurryTs',
  subscribes: ['hurry.ts'],
  emits: [],
}

export const handler = async (input: { id: string }, { state }: any) => {
  state.set('seen', input.id, { seen: true })
}
