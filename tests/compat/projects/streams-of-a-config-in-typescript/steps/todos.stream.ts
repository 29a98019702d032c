import { Stream, type StreamConfig } from 'motia';

export const config: StreamConfig = { name: 'todos', baseConfig: { storageType: 'default' } };
export const todos = new Stream<{ text: string; count: number }>(config);
