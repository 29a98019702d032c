import { http, type MotiaHttpArgs, type StepConfig } from 'motia';

export const config = { name: 'Show', triggers: [http('POST', '/show/:id')] } as const satisfies StepConfig;

export const handler = async ({ request, response }: MotiaHttpArgs<{ n: number }>) => {
  let raw = '';
  for await (const chunk of request.requestBody.stream) raw += chunk;
  const { pathParams, queryParams, body, headers, method } = request;
  return {
    status: 200,
    body: { pathParams, queryParams, body, own: headers['x-own'], method, raw, writes: typeof response.status },
  };
};
