import { http, type StepConfig } from 'motia';

export const config = {
  name: 'Old',
  triggers: [
    http('POST', '/old', {}, (request: any) => request.body.ok && request.headers['x-ok'] === '1'),
    http('POST', '/new', {}, ({ request }: any) => request.body.ok && request.headers['x-ok'] === '1'),
  ],
} as const satisfies StepConfig;

export const handler = async () => ({ status: 200, body: ['ran'] });
