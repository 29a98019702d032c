export const config = { type: 'event', name: 'HearTs', subscribes: ['ts.next', 'ts.other', 'ts.undeclared'], emits: [] }

export const handler = async (input: any, { logger }: any) => {
  logger.info('got', { value: input })
}
