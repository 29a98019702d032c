export const config = { type: 'event', name: 'Begin', subscribes: ['begin'], emits: ['go.on'] };

export const handler = async (_input: unknown, { streams, emit }: any) => {
  await streams.counters.set('all', 'visits', { count: 1 });
  await emit({ topic: 'go.on', data: {} });
};
