const { late } = await import('../lib/late');
const waited = await Promise.resolve('top');
export const config = { type: 'event', name: 'await', subscribes: ['x'], emits: [] };
export const handler = async () => ({ late, waited, again: (await import('../lib/folder')).place });
