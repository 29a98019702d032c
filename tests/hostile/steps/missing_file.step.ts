import nothing from '../lib/not-there';
export const config = { type: 'noop', name: nothing };
