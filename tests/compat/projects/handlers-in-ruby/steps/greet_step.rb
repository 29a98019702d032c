require 'json'

def config
  {
    type: 'api',
    name: 'GreetRuby',
    path: '/greet/:name',
    method: 'POST',
    emits: ['greeted'],
    flows: ['ruby']
  }
end

def handler(req, context)
  context.logger.info('Greeting', { name: req.path_params.name })
  context.state.set('greetings', req.pathParams.name, { text: req.body.text })
  context.emit({ topic: 'greeted', data: { name: req.path_params.name, trace: context.trace_id } })
  { status: 200, body: { greeted: req.body.text, flows: context.flows, same: context.traceId == context.trace_id } }
end
