export const config = { type: 'api', name: 'Forget', path: '/rooms/:room/:id', method: 'DELETE', emits: [] };

export const handler = async (req: any, { streams }: any) => {
  const { room, id } = req.pathParams;
  return { status: 200, body: await streams.chat.delete(room, id) };
};
