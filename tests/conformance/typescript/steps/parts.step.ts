export const config = {
  name: 'parts',
  triggers: [{ type: 'http', method: 'GET', path: '/parts' }],
};

export const handler = async ({ request, response }: any) => {
  response.status(201);
  response.headers({ 'x-own': '1' });
  await response.stream('a');
  await response.stream(Buffer.from('b'));
  while (request.body.forever) {
    response.stream.write('c');
    await new Promise((done) => setTimeout(done, 10));
  }
};
