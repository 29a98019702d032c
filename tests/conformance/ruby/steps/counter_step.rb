config = { type: 'event', name: 'counter', subscribes: ['x'] }

@count = 0

def handler
  @count += 1
end
