export const config = { type: 'api', name: 'OddThrow', path: '/odd/:what', method: 'GET', emits: ['odd'] }

export const handler = async (req: any, { emit, state }: any) => {
  const circle: any = {}
  circle.self = circle
  switch (req.pathParams.what) {
    case 'text':
      throw 'just text'
    case 'nothing':
      throw undefined
    case 'reject':
      return Promise.reject()
    case 'circle':
      return { status: 200, body: circle }
    case 'bigint':
      return { status: 200, body: { n: 10n } }
    case 'emit':
      await emit({ topic: 'odd', data: circle })
      return { status: 200, body: {} }
    case 'state':
      try {
        await state.set('odd', 'circle', circle)
      } catch (error) {
        return { status: 422, body: { error: 'caught' } }
      }
      return { status: 200, body: {} }
    case 'later':
      setTimeout(() => { throw new Error('later') }, 0)
      await new Promise((resolve) => setTimeout(resolve, 50))
      return { status: 200, body: {} }
    default:
      return { status: 200, body: { ok: true } }
  }
}
