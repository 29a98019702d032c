export const config = { type: 'event', name: 'generator', subscribes: ['x'], emits: [] };
export async function* handler() { yield 1; }
