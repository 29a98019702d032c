// What the conformance test asks of a handler, in TypeScript.

export const config = {
  type: 'event',
  name: 'behaviour',
  subscribes: ['x'],
  emits: [],
  input: { type: 'object', properties: { act: { type: 'string' } } },
};

class OwnError extends Error {
  name = 'OwnError';
  code = 'OWN';
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const acts: Record<string, (data: any, context: any) => Promise<unknown>> = {
  echo: async (data) => data.value,

  ids: async (_, context) => [
    context.traceId, context.runId, context.attempt, context.maxAttempts, context.flows, context.topic,
  ],

  methods: async (_, { emit, state }) => {
    await emit({ topic: 't', data: { a: 1 }, messageGroupId: 'g' });
    await state.set('g', 'k', { n: 1 });
    const found = await state.get('g', 'k');
    await state.delete('g', 'k');
    const group = await state.getGroup('g');
    await state.clear('g');
    return { found, group };
  },

  more_methods: async (_, { state, streams: { chat } }) => {
    const ops = [{ type: 'increment', path: 'n', by: 1 }];
    return [
      await state.set('g', 'k', 1, { ttlSeconds: 60 }),
      await state.update('g', 'k', ops),
      await state.compareAndSet('g', 'k', 1, 2),
      await state.listGroups(),
      await chat.set('room', '1', { text: 'hi' }),
      await chat.get('room', '1'),
      await chat.update('room', '1', ops),
      await chat.getGroup('room'),
      await chat.listGroups(),
      await chat.send({ groupId: 'room' }, { type: 'typing', data: { by: 'ann' } }),
      await chat.delete('room', '1'),
    ];
  },

  together: async (_, { state }) => Promise.all([0, 1, 2].map((n) => state.get('g', String(n)))),

  unawaited: async (_, { emit, state }) => {
    emit({ topic: 't', data: 1 });
    state.set('g', 'k', 2);
    return 'returned';
  },

  catches: async (_, { state }) => {
    try {
      await state.get('g', 'k');
    } catch (error) {
      return `caught: ${(error as Error).message}`;
    }
  },

  throws: async () => {
    throw new OwnError('own words');
  },

  log: async (_, { logger }) => {
    logger.info('said', { a: 1 });
    logger.warn('careful');
    logger.error('wrong', { b: [null] });
    logger.debug('closely');
  },

  large: async ({ size }) => 'x'.repeat(size),

  asks_large: async ({ size }, { state }) => {
    await state.set('g', 'k', 'x'.repeat(size));
  },

  wait: async ({ seconds }) => {
    await sleep(seconds * 1000);
    return seconds;
  },

  busy: async (_, { logger }) => {
    logger.info('busy');
    await sleep(10);
    for (;;);
  },

  prints: async ({ size }) => {
    process.stdout.write(`printed ${'x'.repeat(size)}\n`);
    return 'printed';
  },

  returns_bytes: async () => ({ body: Buffer.from([0, 1, 255]) }),
};

export const handler = async (data: any, context: any): Promise<unknown> => acts[data.act](data, context);
