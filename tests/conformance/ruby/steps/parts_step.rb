config = {
  name: 'parts',
  triggers: [{ type: 'http', method: 'GET', path: '/parts' }]
}

def handler(args)
  args.response.status(201)
  args.response.headers({ 'x-own' => '1' })
  args.response.stream.write('a')
  args.response << 'b'
  while args.request.body.forever
    args.response.write('c')
    sleep 0.01
  end
end
