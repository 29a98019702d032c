import { http, step } from 'motia';

export const { config, handler } = step(
  { name: 'Hi', triggers: [http('GET', '/hi')] },
  async ({ request }) => ({ status: 200, body: [request.method] }),
);
