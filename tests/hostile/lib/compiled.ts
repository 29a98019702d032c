export const compiled = 'ts behind js';
