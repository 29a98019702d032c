import { config } from 'motia';

export default config({
  streamAuth: {
    contextSchema: { type: 'object', properties: { user: { type: 'string' } } },
    async authenticate(request: { headers: Record<string, string>; url?: string }) {
      const [scheme, token] = (request.headers['sec-websocket-protocol'] ?? '').split(',');
      if (scheme !== 'Authorization') throw new Error('no token');
      return { user: token.trim() };
    },
  },
});
