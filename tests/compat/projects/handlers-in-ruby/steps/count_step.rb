def config
  { type: 'event', name: 'CountRuby', subscribes: ['greeted'], emits: [] }
end

def handler(input, context)
  context.state.set('counted', input.name, { trace: input.trace })
end
