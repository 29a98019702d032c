import { http, type StepConfig } from 'motia';

export const config = { name: 'Three', triggers: [http('POST', '/three')] } as const satisfies StepConfig;

export const handler = async ({ request }: any) => ({ status: 200, body: { three: request.body } });
