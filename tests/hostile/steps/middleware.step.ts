const order: string[] = [];
const first = async (req: any, ctx: any, next: any) => {
  req.user = 'ann';
  const response = await next();
  return { ...response, headers: { 'x-first': 'yes' } };
};
const second = (req: any, _: any, next: any) => (req.stop ? { status: 403, body: 'stopped' } : next());
export const config = { type: 'api', name: 'middleware', path: '/m', method: 'GET', emits: [], middleware: [first, second] };
export const handler = async (req: any) => ({ status: 200, body: req.user });
