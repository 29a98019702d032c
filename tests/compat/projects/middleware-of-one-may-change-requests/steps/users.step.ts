import { http, type StepConfig } from 'motia';

const named = async ({ request }: any, _ctx: any, next: any) => {
  request.user = request.headers['x-user'];
  const answer = await next();
  return { ...answer, headers: { 'x-by': request.user } };
};

export const config = {
  name: 'Users',
  triggers: [http('GET', '/users', { middleware: [named] })],
} as const satisfies StepConfig;

export const handler = async ({ request }: any) => ({ status: 200, body: [request.user] });
