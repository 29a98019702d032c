exports.config = { type: 'api', name: 'Answer', path: '/answer', method: 'GET', emits: [] };

exports.handler = async (req, { state }) => {
  const answer = await state.get('shared', 'answer');
  const values = await state.getGroup('shared');
  const cleared = await state.clear('shared');
  return { status: 200, body: { answer, count: values.length, cleared: cleared ?? null } };
};
