export const config = { type: 'noop', name: 'broken' };

const = 3;
