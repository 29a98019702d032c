import { config } from 'motia';

export default config({
  streamAuth: {
    contextSchema: { type: 'object', properties: { user: { type: 'string' } } },
    async authenticate(request: { headers: Record<string, string>; url?: string }) {
      const token = new URL(request.url ?? '/', 'http://x').searchParams.get('authToken');
      return token ? { user: token } : null;
    },
  },
});
