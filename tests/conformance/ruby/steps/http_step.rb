def outer(request, _context, following)
  request.body.order << 'outer'
  following.call.merge(headers: { 'x-outer' => 'yes' })
end

inner = lambda do |request, _context, following|
  request['body']['order'] << 'inner'
  request[:body].stop ? { status: 403 } : following.call
end

config = {
  type: 'api',
  name: 'http',
  method: 'POST',
  path: '/http/:id',
  middleware: [method(:outer), inner]
}

def handler(request, _context)
  { status: 200, body: [*request.body.order, request.path_params.id] }
end
