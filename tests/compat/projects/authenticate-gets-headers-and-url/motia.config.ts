import { config } from 'motia';

export default config({
  streamAuth: {
    contextSchema: { type: 'object', properties: { user: { type: 'string' } } },
    async authenticate(request: { headers: Record<string, string>; url?: string }) {
      return { user: request.headers['x-user'], url: request.url };
    },
  },
});
