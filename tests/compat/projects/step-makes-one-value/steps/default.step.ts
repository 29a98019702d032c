import { http, step } from 'motia';

export default step({ name: 'Default', triggers: [http('GET', '/default')] }, async () => ({
  status: 200,
  body: ['default'],
}));
