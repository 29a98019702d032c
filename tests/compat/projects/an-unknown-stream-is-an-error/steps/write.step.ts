export const config = { type: 'event', name: 'Write', subscribes: ['read'], emits: [] };

export const handler = async (_input: unknown, { streams }: any) => {
  await streams.note.set('all', '1', { text: 'a' });
};
