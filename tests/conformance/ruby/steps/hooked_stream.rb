def on_join(subscription, context, auth)
  raise 'nobody' if auth.nil?

  before = context.state.get('joined', subscription.groupId)
  context.logger.info('joined')
  { unauthorized: auth.user == before }
end

def on_leave(subscription, context)
  context.state.delete('joined', subscription.group_id)
end

def config
  { name: 'hooked', onJoin: method(:on_join), onLeave: method(:on_leave) }
end
