import { defineConfig } from '@motiadev/core';

export default defineConfig({
  streamAuth: {
    authenticate: async ({ headers }: any) => ({ rooms: headers['x-rooms'].split(' ') }),
  },
});
