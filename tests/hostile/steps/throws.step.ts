interface Line { two: string }
const needed = (name: string): string => {
  if (!process.env[name]) throw new Error(`the variable ${name} is missing`);
  return process.env[name]!;
};
const key = needed('NOT_SET_ANYWHERE');
export const config = { type: 'noop', name: key };
