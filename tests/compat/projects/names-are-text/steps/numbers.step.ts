export const config = { type: 'api', name: 'Numbers', path: '/numbers', method: 'GET', emits: [] };

export const handler = async (_req: unknown, { state }: any) => {
  await state.set('years', 2025, 'common');
  return { status: 200, body: [await state.get('years', '2025')] };
};
