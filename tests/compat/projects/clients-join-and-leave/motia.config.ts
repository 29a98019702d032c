export const authenticateStream = async (input: any, { logger }: any) => {
  const [token] = input.queryParams.token ?? [];
  if (token === 'bad') throw new Error('no such token');
  logger.info('asked', { path: input.path, addr: input.addr });
  return { context: { user: token ?? input.headers['x-user'] } };
};
