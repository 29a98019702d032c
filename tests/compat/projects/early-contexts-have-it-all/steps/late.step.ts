import { queue, type StepConfig } from 'motia';

export const config = { name: 'Late', triggers: [queue('early')], enqueues: ['late'] } as const satisfies StepConfig;

export const handler = async (input: any, { state, streams, logger, enqueue, traceId }: any) => {
  const { last } = await state.get('sessions', '1');
  const note = await streams.notes.get('all', last);
  await enqueue({ topic: 'late', data: note.id });
  logger.info('Late', { same: traceId === input._trace_id });
};
