import { http, type StepConfig } from 'motia';
import { todos } from './todos.stream';

export const config = { name: 'Todo', triggers: [http('POST', '/todos')] } as const satisfies StepConfig;

export const handler = async () => {
  const made: any = await todos.set('inbox', '1', { text: 'a', count: 1 });
  const updated: any = await todos.update('inbox', '1', [{ type: 'set', path: 'text', value: 'b' }]);
  const listed: any[] = await todos.list('inbox');
  const found: any = await todos.get('inbox', '1');
  await todos.delete('inbox', '1');
  const body = {
    made: [made.old_value, made.new_value.text],
    updated: [updated.old_value.text, updated.new_value.text],
    listed: listed.map(({ id, text }) => [id, text]),
    found: found.text,
    groups: await todos.listGroups(),
  };
  return { status: 200, body };
};
