export const config = { type: 'event', name: 'first', subscribes: ['first'], emits: ['second'] }

export const handler = async (data: any, { emit }: any) => {
  await emit({ topic: 'second', data })
}
