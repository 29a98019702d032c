def config
  { type: 'cron', name: 'cron', cron: '@daily' }
end

def handler(context)
  context.run_id
end
