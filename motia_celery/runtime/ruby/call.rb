# frozen_string_literal: true

require_relative 'context'
require_relative 'faults'
require_relative 'fields'
require_relative 'frames'
require_relative 'response'

module MotiaCelery
  # Lets a thread know whether anyone waits for its end, and so hears what it raised.
  module Joined
    def join(*)
      @is_joined = true
      super
    end

    def value
      @is_joined = true
      super
    end

    def joined?
      @is_joined || false
    end
  end
  Thread.prepend(Joined)

  # One call of a handler, with its middleware, its context and its end, in a thread of its own.
  class Call
    # The threads of a call: those that a handler starts belong to it too.
    class Threads < ThreadGroup
      attr_accessor :call
    end

    # How long a handler's own thread may take to ask for something, or to raise what went wrong.
    STRAY_SECONDS = 1
    POLL_SECONDS = 0.002
    ASKS = :motia_celery_asks

    # The call that the thread works for, or nil.
    def self.current
      group = Thread.current.group
      group.call if group.is_a?(Threads)
    end

    def initialize(message, definitions, connection, &on_end)
      @message = message
      @definitions = definitions
      @connection = connection
      @on_end = on_end
      @threads = Threads.new
      @threads.call = self
      @lock = Mutex.new
      @waiting = {}
      @strays = []
      @last = 0
      @printed = {}
    end

    # Calls the handler; sends what it returned, once nothing that it began is under way.
    def start
      @lock.synchronize do
        Thread.handle_interrupt(Cancelled => :never) { @thread = Thread.new { run } }
      end
    end

    # Unwinds the handler, and drops what it waits for.
    def cancel
      @lock.synchronize do
        return if @is_over || @is_cut

        @is_cut = true
        @waiting.each_value { |queue| queue << { 'error' => { 'name' => 'Cancelled', 'message' => 'the run was cancelled' } } }
        @thread.raise(Cancelled, 'the run was cancelled')
      end
    end

    # The client has left that the handler may be writing to.
    def leave
      @input.response.leave if @input.is_a?(Request)
    end

    # The answer to a request that the handler made on its context.
    def answer(message)
      @lock.synchronize { @waiting[message['request']] }&.push(message)
    end

    # The value of a call on the context; what went wrong there is raised.
    def request(method, *arguments)
      Thread.current.thread_variable_set(ASKS, true)
      number, queue = open_request(method)
      begin
        @connection.send('type' => 'request', 'id' => id, 'request' => number, 'method' => method, 'args' => arguments)
        value_of(queue.pop)
      ensure
        @lock.synchronize { @waiting.delete(number) }
      end
    ensure
      Thread.current.thread_variable_set(ASKS, nil)
    end

    # A line of the logger; what has no JSON form is shown as text.
    def log(level, message, data)
      line = { 'type' => 'log', 'id' => id, 'level' => level, 'message' => message.is_a?(String) ? message : message.inspect }
      begin
        @connection.send(**line, 'data' => data)
      rescue FrameError
        @connection.send(**line, 'message' => line['message'][0, 10_000], 'data' => data.inspect[0, 2000])
      end
    end

    # What the function gives for the input and the context, of which it may leave out what it does not need.
    def fitted(function, input, is_for_cron = false)
      names = function.parameters.map(&:last)
      is_alone = names.size == 1
      return function.call(context) if is_alone && (is_for_cron || %i[context ctx].include?(names.first))

      function.call(*fitting(function, [input, context]))
    end

    # What the handler printed; false where no run takes it. A line is told once it is whole.
    def print(level, text)
      return false if @is_over || @message['type'] != 'call' # a rule has no run

      held = (@printed[level] ||= +'')
      held << text
      tell(level) if held.end_with?("\n")
      true
    end

    private

    def id
      @message['id']
    end

    def open_request(method)
      @lock.synchronize do
        raise Cancelled, 'the run was cancelled' if @is_cut
        raise "#{method} was called after its run had ended" if @is_over

        @last += 1
        [@last, @waiting[@last] = Queue.new]
      end
    end

    def value_of(message)
      error = message['error']
      return Fields.of(message['value']) unless error

      note(Thread.current) unless Thread.current == @thread
      raise Fault.new(error['name'], error['message'], error['code'])
    end

    # What the thread raises is told by whoever joins it, or by the end of the call.
    def note(thread)
      thread.report_on_exception = false
      @lock.synchronize { @strays << thread }
    end

    # Cancelled comes where the handler runs, and not where its end is told.
    def run
      @threads.add(Thread.current)
      message = begin
        { 'type' => 'result', 'value' => Thread.handle_interrupt(Cancelled => :immediate) { settled } }
      rescue Exception => error # SystemExit and NoMemoryError included
        { 'type' => 'error', 'error' => Faults.describe(error) }
      end
      finish(message)
    rescue Cancelled
      nil # it came after the end
    end

    def settled
      value = outcome
      since = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      sleep POLL_SECONDS until quiet?(Process.clock_gettime(Process::CLOCK_MONOTONIC) - since)
      # What a thread raised that nobody joined would be lost.
      @strays.each { |thread| thread.join(STRAY_SECONDS) unless thread.joined? }
      value
    end

    # Whether nothing is asked for. A thread that was only just started may be about to.
    def quiet?(seconds)
      return false unless @lock.synchronize { @waiting.empty? }

      (@threads.list - [@thread]).none? do |thread|
        thread.thread_variable_get(ASKS) || (thread.status == 'run' && seconds < STRAY_SECONDS)
      end
    end

    def finish(message)
      @printed.each_key { |level| tell(level) }
      send_end(message)
      @lock.synchronize { @is_over = true }
      @on_end.call
    end

    def send_end(message)
      @connection.send('id' => id, **message)
    rescue FrameError => error
      # What a handler of an event returned is asked for by no one.
      return @connection.send('type' => 'result', 'id' => id, 'value' => nil) if error.is_a?(NoFormError) && !http?

      @connection.send('type' => 'error', 'id' => id, 'error' => Faults.describe(error))
    end

    def http?
      @message['type'] == 'call' && @message['run']['trigger'] == 'http'
    end

    def tell(level)
      text = @printed[level].chomp
      @printed[level] = +''
      log(level, text, nil) unless text.empty?
    end

    def outcome
      definition = @definitions.of(@message['file'])
      case @message['type']
      when 'access' then allows?(definition)
      when 'hook' then joins?(definition)
      else within { handle(definition) }
      end
    end

    def allows?(definition)
      rule = definition.setting('canAccess')
      raise TypeError, 'the file has no canAccess any more' unless definition.function?(rule)

      rule.call(*fitting(rule, [Fields.of(@message['subscription']), Fields.of(@message['auth'])])) ? true : false
    end

    def joins?(definition)
      hook = definition.setting(@message['hook'])
      raise TypeError, "the file has no #{@message['hook']} any more" unless definition.function?(hook)

      input = Fields.of(@message['input'])
      told = hook.call(*fitting(hook, [input.subscription, context, input.auth]))
      told = Fields.of(told.transform_keys(&:to_s)) if told.is_a?(Hash)
      told != false && !(told.is_a?(Fields) && told.unauthorized)
    end

    def handle(definition)
      raise TypeError, 'the file has no handler any more' unless definition.function?(definition.handler)

      @input = http? ? Request.read(@message, self) : Fields.of(@message['input'])
      value = definition.triggers ? triggered(definition) : inside(definition.middleware, definition.handler, cron?)
      http? ? @input.response.finish(value) : value
    end

    # What belongs to the run's trigger: its condition, its middleware, and the handler.
    def triggered(definition)
      trigger = definition.triggers[@message['run'].dig('by', 'index') || @message['run']['trigger_index'] || 0]
      raise TypeError, 'the file has no such trigger any more' unless trigger
      return skipped unless holds?(trigger.condition, definition)

      inside(trigger.middleware, definition.handler, definition.triggers.only_cron?)
    end

    def holds?(condition, definition)
      return true if condition.nil?

      definition.function?(condition) && fitted(condition, @input)
    end

    def skipped
      log('info', "Skipped: the condition of its #{context.trigger.type} trigger is false", nil)
      http? ? { status: 422, body: { error: 'Condition not met', skipped: true } } : nil
    end

    def inside(middleware, handler, is_for_cron)
      last = -> { fitted(handler, @input, is_for_cron) }
      chain = middleware.reverse.inject(last) do |following, part|
        -> { part.call(*fitting(part, [@input, context, proc { following.call }])) }
      end
      chain.call
    end

    def cron?
      @message['run']['trigger'] == 'cron'
    end

    # As many of the values as the function takes.
    def fitting(function, values)
      kinds = function.parameters.map(&:first)
      kinds.include?(:rest) ? values : values.first(kinds.count { |kind| %i[req opt].include?(kind) })
    end

    def context
      @context ||= Context.new(@message['run'], self, @input)
    end

    # Where the project uses OpenTelemetry, its current context is that of the run.
    def within(&block)
      return yield unless defined?(::OpenTelemetry::Context) && ::OpenTelemetry.respond_to?(:propagation)

      carrier = @message['run'].select { |name, _| %w[traceparent tracestate baggage].include?(name) }
      ::OpenTelemetry::Context.with_current(::OpenTelemetry.propagation.extract(carrier), &block)
    end
  end
end
