import { config } from 'motia';

export default config({
  streamAuth: {
    contextSchema: { type: 'object', properties: { user: { type: 'string' } } },
    async authenticate(request: { headers: Record<string, string>; url?: string }) {
      const store = globalThis as any;
      store.asked = (store.asked ?? 0) + 1;
      return { asked: store.asked };
    },
  },
});
