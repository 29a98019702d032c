import { http, jsonSchema, queue, type StepConfig } from 'motia';
import { z } from 'zod';

const order = z.object({ id: z.string(), amount: z.number() });

export const config = {
  name: 'Orders',
  triggers: [
    http('POST', '/orders', { bodySchema: jsonSchema(order), responseSchema: { 200: jsonSchema(order) } }),
    queue('order.made', { input: jsonSchema(order) }),
  ],
} as const satisfies StepConfig;

export const handler = async (_input: unknown, ctx: any) => ({ status: 200, body: ctx.getData() });
