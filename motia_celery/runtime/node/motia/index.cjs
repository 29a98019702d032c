// What a Step may import from 'motia'. Configs are plain values; these functions only write them.
'use strict';

const trigger = (type, fields) => Object.fromEntries(
  Object.entries({ type, ...fields }).filter(([, value]) => value !== undefined),
);

exports.http = (method, path, options, condition) => trigger('http', { method, path, ...options, condition });
exports.api = exports.http;
exports.queue = (topic, options, condition) => trigger('queue', { topic, ...options, condition });
exports.cron = (expression, condition) => trigger('cron', { expression, condition });
exports.state = (condition) => trigger('state', { condition });
exports.stream = (streamName, options) =>
  trigger('stream', { streamName, ...(typeof options === 'function' ? { condition: options } : options) });
exports.step = (config, handler) => ({ config, handler });
exports.jsonSchema = (schema) => schema;
exports.config = (value) => value;
exports.defineConfig = (value) => value;
