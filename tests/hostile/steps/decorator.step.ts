const mark = (target: unknown) => target;
@mark
class Marked {}
export const config = { type: 'noop', name: Marked.name };
