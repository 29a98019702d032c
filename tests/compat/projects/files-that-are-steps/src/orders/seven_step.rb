def config
  { type: 'cron', name: 'SevenRuby', cron: '0 0 * * *', emits: [] }
end

def handler(context); end
