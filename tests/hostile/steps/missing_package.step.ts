import nothing from 'not-installed-here';
export const config = { type: 'noop', name: nothing };
