import { http, type MotiaHttpArgs, type StepConfig } from 'motia';

export const config = {
  name: 'Sse',
  triggers: [http('POST', '/sse'), http('GET', '/stream')],
} as const satisfies StepConfig;

async function* words() {
  for (const word of ['one', 'two']) yield `data: ${word}\n\n`;
}

export const handler = async ({ request, response }: MotiaHttpArgs<any>, ctx: any) => {
  response.status(201);
  response.headers({ 'content-type': 'text/event-stream' });
  if (ctx.trigger.method === 'GET') {
    await response.stream(words());
  } else {
    for (const item of request.body.items) response.stream.write(`data: ${item}\n\n`);
  }
  response.close();
};
