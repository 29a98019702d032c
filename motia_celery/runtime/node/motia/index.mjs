import motia from './index.cjs';

export const { http, api, queue, cron, state, stream, step, multiTriggerStep, jsonSchema, config, defineConfig } = motia;
export const { enqueue, logger, stateManager, Stream } = motia;
export const { isHttpTrigger, isApiTrigger, isQueueTrigger, isCronTrigger, isStateTrigger, isStreamTrigger } = motia;
export const { getHttpTriggers, getApiTriggers, getQueueTriggers } = motia;
export const { getCronTriggers, getStateTriggers, getStreamTriggers } = motia;
export default motia;
