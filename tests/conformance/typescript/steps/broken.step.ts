export const config = { type: 'event', name: 'broken', subscribes: ['x'] };

throw new Error('broken on purpose');
