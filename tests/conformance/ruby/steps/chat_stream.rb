def config
  {
    name: 'chat',
    schema: { type: 'object', properties: { text: { type: 'string' } } },
    baseConfig: { storageType: 'default' },
    canAccess: lambda do |subscription, auth|
      sleep 600 if subscription.groupId == 'waits'
      raise 'nobody' if auth.nil?

      subscription.id == auth.user
    end
  }
end
