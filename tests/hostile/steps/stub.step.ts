import { step, jsonSchema } from 'motia';
export default step({ type: 'event', name: 'stub', subscribes: ['x'], emits: [] }, async () => ({ schema: jsonSchema({ a: 1 }) }));
