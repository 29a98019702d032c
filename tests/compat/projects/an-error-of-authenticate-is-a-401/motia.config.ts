import { config } from 'motia';

export default config({
  streamAuth: {
    contextSchema: { type: 'object', properties: { user: { type: 'string' } } },
    async authenticate(request: { headers: Record<string, string>; url?: string }) {
      if (!request.headers.authorization) throw new Error('no token');
      return { user: 'ann' };
    },
  },
});
