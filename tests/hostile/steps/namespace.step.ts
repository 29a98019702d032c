export const config = { type: 'noop', name: 'namespace' };

namespace Values { export const a = 1; }
export const handler = () => Values.a;
