def config
  { type: 'cron', name: 'SixRuby', cron: '0 0 * * *', emits: [] }
end

def handler(context); end
