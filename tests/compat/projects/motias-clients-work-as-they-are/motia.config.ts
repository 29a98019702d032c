import { config } from 'motia';

export default config({
  streamAuth: {
    authenticate: async ({ headers }: any) => {
      const [, token] = headers['sec-websocket-protocol'].split(',');
      return { user: token.trim() };
    },
  },
});
