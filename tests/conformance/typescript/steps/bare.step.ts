export const config = { type: 'noop', name: 'bare' };
