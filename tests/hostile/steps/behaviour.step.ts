export const config = { type: 'event', name: 'behaviour', subscribes: ['x'], emits: [] };

class OwnError extends Error {
  code = 'E_OWN';
  override name = 'OwnError';
}
const acts: Record<string, (input: any, ctx: any) => unknown> = {
  echo: (input) => input.value,
  sync: () => 'text',
  nothing: () => undefined,
  buffer: () => ({ status: 200, body: Buffer.from([0, 1, 255]) }),
  typed: () => ({ body: new Uint16Array([1, 2]) }),
  throws: () => {
    throw new OwnError('own words');
  },
  string: () => Promise.reject('only text'),
  timer: () => new Promise(() => setTimeout(() => { throw new Error('in a timer'); }, 1)),
  unawaited: (_, ctx) => { ctx.state.set('g', 'k', 1); ctx.emit({ topic: 't', data: { a: 1 } }); },
  unawaitedFails: (_, ctx) => { ctx.emit({ topic: '', data: 1 }); },
  catches: async (_, ctx) => {
    try { await ctx.emit({ data: 1 }); } catch (error) { return `${(error as Error).name}: ${(error as Error).message}`; }
  },
  state: async (_, { state }) => {
    const before = await state.get('s', 'a');
    await state.set('s', 'a', { n: 1 });
    await state.set('s', 'b', 'text');
    const group = await state.getGroup('s');
    const removed = await state.delete('s', 'a');
    await state.clear('s');
    return { before, group: group.length, removed, after: await state.getGroup('s') };
  },
  stateMore: async (_, { state }) => {
    await state.set('m', 'short', 1, { ttlSeconds: 0.05 });
    const update = await state.update('m', 'a', [
      { type: 'increment', path: 'n', by: 2 },
      { type: 'merge', value: { list: [] } },
    ]);
    const swapped = await state.compareAndSet('m', 'b', undefined, 'mine');
    const again = await state.compareAndSet('m', 'b', null, 'theirs');
    while ((await state.get('m', 'short')) !== null) await new Promise((resolve) => setTimeout(resolve, 5));
    const faults: string[] = [];
    await state.update('m', 'b', [{ type: 'append', value: 1 }]).catch((error: Error) => faults.push(error.name));
    await state.set('m', 'c', { raw: Buffer.from('a') }).catch((error: Error) => faults.push(error.message));
    return { update, swapped, again, list: await state.list('m'), groups: await state.listGroups(), faults };
  },
  streams: async (_, { streams }) => {
    const { chat } = streams;
    const created = await chat.set('g', 'a', { n: 1 });
    const nothing = await chat.set('g', 'b', null);
    const update = await chat.update('g', 'a', [{ type: 'increment', path: 'n', by: 1 }]);
    await chat.send({ groupId: 'g', id: 'a' }, { type: 'typing', data: { user: 'u' } });
    const group = await chat.getGroup('g');
    const same = JSON.stringify(group) === JSON.stringify(await chat.list('g'));
    const removed = await chat.delete('g', 'a');
    const faults: string[] = [];
    await chat.set('g', 'c', { raw: Buffer.from('a') }).catch((error: Error) => faults.push(error.message));
    return { created, nothing, update, group, same, removed, again: await chat.get('g', 'a'), faults };
  },
  unknownStream: (_, { streams }) => streams.chats.get('g', 'a'),
  unawaitedStream: (_, { streams }) => { streams.chat.set('g', 'late', { n: 1 }); },
  log: (_, { logger }) => { logger.info('said', { error: new Error('logged') }); logger.warn('plain'); },
  never: () => new Promise(() => {}),
  busy: () => { for (;;); },
  hog: () => { const all: unknown[] = []; for (;;) all.push(new Array(1e5).fill(Math.random())); },
  sleep: (input) => new Promise((resolve) => setTimeout(() => resolve(input.ms), input.ms)),
  exit: () => process.exit(1),
  die: () => process.kill(process.pid, 'SIGKILL'),
  cycle: () => { const a: any = {}; a.a = a; return a; },
  flows: (_, ctx) => ({ flows: ctx.flows, traceId: ctx.traceId, attempt: ctx.attempt }),
  spin: (input) => { const end = Date.now() + input.ms; while (Date.now() < end); return 'spun'; },
  ownJson: () => [new Date(0), { toJSON: () => ({ $bytes: 'AA==' }) }, new Map([[1, 2]])],
  mixed: () => ({ a: { b: [{ $object: 1 }, { c: Buffer.from([7]) }] }, d: undefined }),
};
export const handler = (input: any, ctx: any) => acts[input.act](input, ctx);
