export const config = {
  type: 'event',
  name: 'HearAdmin',
  subscribes: ['admin.seen'],
  emits: [],
}

export const handler = async () => {}
