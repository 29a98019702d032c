import { Stream, type StreamConfig } from 'motia';

export const config: StreamConfig = { name: 'orders', baseConfig: { storageType: 'default' } };
export const orders = new Stream(config);
