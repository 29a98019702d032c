export const config = {
  type: 'api',
  name: 'create',
  method: 'POST',
  path: '/orders',
  emits: ['first'],
}

export const handler = async (req: any, { emit }: any) => {
  await emit({ topic: 'first', data: req.body })
  return { status: 200, body: { id: req.body.id } }
}
