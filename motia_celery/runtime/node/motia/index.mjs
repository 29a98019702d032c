import motia from './index.cjs';

export const { http, api, queue, cron, state, stream, step, jsonSchema, config, defineConfig } = motia;
export default motia;
