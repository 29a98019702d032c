type Next = () => Promise<Record<string, unknown>>;

const outer = async (request: any, _: unknown, next: Next) => {
  request.body.order.push('outer');
  const answer = await next();
  return { ...answer, headers: { 'x-outer': 'yes' } };
};

const inner = async (request: any, _: unknown, next: Next) => {
  request.body.order.push('inner');
  return request.body.stop ? { status: 403 } : next();
};

export const config = {
  type: 'api',
  name: 'http',
  method: 'POST',
  path: '/http/:id',
  middleware: [outer, inner],
};

export const handler = async (request: any) => ({
  status: 200,
  body: [...request.body.order, request.pathParams.id],
});
