export const config = { type: 'event', name: 'counter', subscribes: ['x'] };

let count = 0;

export const handler = async () => ++count;
