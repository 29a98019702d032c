def config
  {
    type: 'api',
    name: 'GreetRuby',
    path: '/greet/:name',
    method: 'POST',
    emits: ['greeted'],
    flows: ['ruby'],
    middleware: [
      lambda do |req, _context, following|
        req.body.text ? following.call : { status: 422, body: { error: 'text?' } }
      end
    ]
  }
end

def handler(req, context)
  context.logger.info('Greeting', { name: req.path_params.name })
  context.state.set('greetings', req.pathParams.name, { text: req.body.text })
  context.streams.greetings.set('all', req.path_params.name, { text: req.body.text })
  context.emit({ topic: 'greeted', data: { name: req.path_params.name, trace: context.trace_id } })
  same = context.traceId == context.trace_id
  { status: 200, body: { greeted: req.body.text, flows: context.flows, same: same } }
end
