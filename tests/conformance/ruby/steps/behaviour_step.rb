# What the conformance test asks of a handler, in Ruby.

config = {
  type: 'event',
  name: 'behaviour',
  subscribes: ['x'],
  emits: [],
  input: { type: 'object', properties: { act: { type: 'string' } } }
}

class OwnError < StandardError
  def code
    'OWN'
  end
end

def echo(data, _context)
  data.value
end

def ids(_data, context)
  [context.trace_id, context.run_id, context.attempt, context.max_attempts, context.flows, context.topic]
end

def methods_of_state(_data, context)
  context.emit(topic: 't', data: { a: 1 }, message_group_id: 'g')
  context.state.set('g', 'k', { n: 1 })
  found = context.state.get('g', 'k')
  context.state.delete('g', 'k')
  group = context.state.get_group('g')
  context.state.clear('g')
  { found: found, group: group }
end

def more_methods(_data, context)
  state, chat = context.state, context.streams.chat
  ops = [{ type: 'increment', path: 'n', by: 1 }]
  [
    state.set('g', 'k', 1, ttl_seconds: 60),
    state.update('g', 'k', ops),
    state.compare_and_set('g', 'k', 1, 2),
    state.list_groups,
    chat.set('room', '1', { text: 'hi' }),
    chat.get('room', '1'),
    chat.update('room', '1', ops),
    chat.get_group('room'),
    chat.list_groups,
    chat.send({ group_id: 'room' }, { type: 'typing', data: { by: 'ann' } }),
    chat.delete('room', '1')
  ]
end

def together(_data, context)
  3.times.map { |n| Thread.new { context.state.get('g', n.to_s) } }.map(&:value)
end

def unawaited(_data, context)
  Thread.new { context.emit(topic: 't', data: 1) }
  Thread.new { context.state.set('g', 'k', 2) }
  'returned'
end

def catches(_data, context)
  context.state.get('g', 'k')
rescue StandardError => e
  "caught: #{e.message}"
end

def throws(_data, _context)
  raise OwnError, 'own words'
end

def log(_data, context)
  context.logger.info('said', { a: 1 })
  context.logger.warn('careful')
  context.logger.error('wrong', { b: [nil] })
  context.logger.debug('closely')
end

def large(data, _context)
  'x' * data[:size]
end

def asks_large(data, context)
  context.state.set('g', 'k', 'x' * data['size'])
end

def wait(data, _context)
  sleep data.seconds
  data.seconds
end

def busy(_data, context)
  context.logger.info('busy')
  nil while true
end

def prints(data, _context)
  STDOUT.write("printed #{'x' * data.fetch(:size)}\n")
  'printed'
end

def returns_bytes(_data, _context)
  { body: "\x00\x01\xFF".b }
end

def handler(data, context)
  name = data.act == 'methods' ? 'methods_of_state' : data.act
  send(name, data, context)
end
