# frozen_string_literal: true

# The Ruby host: loads Step files and calls their handlers, many at once, for its parent.
# docs/frames.md describes what the two say. Ruby 2.7 is enough, and nothing but its own library.
require_relative 'call'
require_relative 'definitions'
require_relative 'faults'
require_relative 'frames'
require_relative 'loading'
require_relative 'output'

module MotiaCelery
  # Answers the parent's messages until its socket ends.
  class Host
    LAST_SECONDS = 2

    def initialize(connection)
      @connection = connection
      @definitions = Definitions.new
      @calls = {}
      @lock = Mutex.new
    end

    # Returns when nothing comes any more. A handler may have asked for errors of its threads to
    # be raised in the main one, so that frames are read in another.
    def serve
      @connection.send('type' => 'hello', 'protocol' => PROTOCOL, 'language' => 'ruby', 'version' => RUBY_VERSION)
      reader = Thread.new { @connection.each { |message| receive(message) } }
      reader.report_on_exception = false
      begin
        reader.join
      rescue FrameError => error
        warn("The parent sent what is no frame: #{error.message}")
      rescue StandardError => error
        warn("An error outside of any run: #{error.full_message(highlight: false)}")
        retry if reader.alive?
      end
    end

    # Ends the process even where a handler's thread does not give way.
    def leave
      Thread.new do
        sleep LAST_SECONDS
        exit!(1)
      end
      exit
    end

    private

    def receive(message)
      case message['type']
      when 'hello' then @connection.limit_bytes = message['limit_bytes'] if message['limit_bytes']
      when 'load' then Loading.new(message, @definitions, @connection).start
      when 'call', 'access', 'hook' then start(message)
      when 'response' then find(message)&.answer(message)
      when 'gone' then find(message)&.leave
      when 'cancel' then find(message)&.cancel
      when 'ping' then @connection.send('type' => 'pong', 'id' => message['id'])
      end
    end

    def start(message)
      id = message['id']
      call = Call.new(message, @definitions, @connection) { @lock.synchronize { @calls.delete(id) } }
      @lock.synchronize { @calls[id] = call }
      call.start
    end

    def find(message)
      @lock.synchronize { @calls[message['id']] }
    end
  end
end

if $PROGRAM_NAME == __FILE__
  # The parent decides when this process ends; a terminal signals both. Not 'IGNORE', which the
  # processes that a handler starts would inherit.
  %w[INT TERM HUP].each { |name| trap(name) {} }
  connection = MotiaCelery::Connection.of(ENV.delete('MOTIA_HOST_FD').to_i)
  STDOUT.sync = true
  MotiaCelery::Output.capture
  host = MotiaCelery::Host.new(connection)
  host.serve
  host.leave
end
