import { type ApiResponse, http, type StepConfig } from 'motia';

export const config = { name: 'Results', triggers: [http('GET', '/results/:kind')] } as const satisfies StepConfig;

const results: Record<string, unknown> = {
  status: { status: 201, body: { ok: true }, headers: { 'x-own': '1' } } satisfies ApiResponse,
  none: { body: { ok: true } },
};

export const handler = async ({ request }: any) => results[request.pathParams.kind];
