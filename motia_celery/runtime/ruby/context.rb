# frozen_string_literal: true

require_relative 'fields'

module MotiaCelery
  # The second argument of a handler, the only one of a cron handler. Its calls give their values
  # at once, and raise what went wrong; a handler may make them from threads of its own.
  class Context
    attr_reader :trace_id, :run_id, :attempt, :max_attempts, :topic, :flows, :trigger, :state, :streams, :celery, :logger

    def initialize(run, call, input = nil)
      @trace_id, @run_id, @topic, @flows = run.values_at('trace_id', 'run_id', 'topic', 'flows')
      @attempt, @max_attempts = run.values_at('attempt', 'max_attempts')
      @trigger = Fields.of(run['by'] || { 'type' => run['trigger'] == 'event' ? 'queue' : run['trigger'], 'index' => 0 })
      @call = call
      @input = input
      @state = State.new(call)
      @streams = Streams.new(call)
      @celery = Celery.new(call)
      @logger = Logger.new(call)
    end

    alias traceId trace_id
    alias runId run_id
    alias maxAttempts max_attempts

    # Publishes an event (topic, data, and options); returns once the broker has confirmed it.
    def emit(event)
      @call.request('emit', Options.camel(event))
    end

    alias enqueue emit

    # What started the run: `http?`, `queue?`, `cron?`, `state?` and `stream?`.
    %w[http queue cron state stream].each do |type|
      define_method("#{type}?") { @trigger.type == type }
      alias_method "is_#{type}", "#{type}?"
    end

    # The body of a request, else what the handler is given.
    def get_data
      http? ? @input.body : @input
    end
    alias getData get_data

    # Calls the function of the run's trigger (`http:`, `queue:`, …, `default:`), and gives what it returned.
    def match(functions)
      functions = functions.to_h.transform_keys(&:to_s)
      function = functions[@trigger.type] || functions['default']
      raise ArgumentError, "match has no function for #{@trigger.type}" unless function

      @call.fitted(function, @input)
    end

    # Gives something to change state and to emit with; all of it is stored together at the end.
    def transaction
      parts = Transaction.new
      result = yield parts
      @call.request('transaction', parts.told)
      result
    end
  end

  # Options in Ruby's words, as the methods of the context have them.
  module Options
    module_function

    def camel(options)
      options.to_h.map { |name, value| [name.to_s.gsub(/_([a-z])/) { Regexp.last_match(1).upcase }, value] }.to_h
    end
  end

  # Values by group and key.
  class State
    def initialize(call)
      @call = call
    end

    def get(group, key)
      @call.request('state.get', group, key)
    end

    # Keeps the value, for ever or for ttl_seconds.
    def set(group, key, value, options = {})
      @call.request('state.set', group, key, value, Options.camel(options))
    end

    def update(group, key, operations)
      @call.request('state.update', group, key, operations)
    end

    def compare_and_set(group, key, expected, value, options = {})
      @call.request('state.compareAndSet', group, key, expected, value, Options.camel(options))
    end
    alias compareAndSet compare_and_set

    def delete(group, key)
      @call.request('state.delete', group, key)
    end

    def get_group(group)
      @call.request('state.getGroup', group)
    end
    alias getGroup get_group
    alias list get_group

    def list_groups
      @call.request('state.listGroups')
    end
    alias listGroups list_groups

    def clear(group)
      @call.request('state.clear', group)
    end

    # Older Steps write state[:get].call(group, key).
    def [](name)
      method(name)
    end
  end

  # Any name gives a stream: whether it is declared is known where the call is answered.
  class Streams
    def initialize(call)
      @call = call
    end

    def [](name)
      Stream.new(name.to_s, @call)
    end

    def respond_to_missing?(_name, _all = false)
      true
    end

    def method_missing(name, *arguments)
      arguments.empty? ? self[name] : super
    end
  end

  # Items by group and id.
  class Stream
    def initialize(name, call)
      @name = name
      @call = call
    end

    def get(group, id)
      ask('get', group, id)
    end

    def set(group, id, data)
      ask('set', group, id, data)
    end

    def update(group, id, operations)
      ask('update', group, id, operations)
    end

    def delete(group, id)
      ask('delete', group, id)
    end

    def get_group(group)
      ask('getGroup', group)
    end
    alias getGroup get_group
    alias list get_group

    def list_groups
      ask('listGroups')
    end
    alias listGroups list_groups

    # Tells those who follow the channel (group_id, and id) an event that is not stored.
    def send(channel, event)
      ask('send', Options.camel(channel), event)
    end

    private

    def ask(method, *arguments)
      @call.request("streams.#{method}", @name, *arguments)
    end
  end

  # Other Celery apps on the same broker.
  class Celery
    def initialize(call)
      @call = call
    end

    # Options: args, kwargs, queue, exchange, routing_key, countdown, eta, expires, priority, task_id.
    def send_task(name, options = {})
      @call.request('celery.sendTask', name, options.to_h)
    end
    alias sendTask send_task
  end

  # Lines of the run: a message, and data beside it.
  class Logger
    def initialize(call)
      @call = call
    end

    %w[info warn error debug].each do |level|
      define_method(level) do |message, data = nil|
        @call.log(level, message, data)
        nil
      end
    end
    alias warning warn
  end

  # What is to be done together.
  class Transaction
    # The two changes of state that can be a part of it.
    Changes = Struct.new(:told) do
      def set(group, key, value, options = {})
        told << ['state.set', group, key, value, Options.camel(options)]
        nil
      end

      def delete(group, key)
        told << ['state.delete', group, key]
        nil
      end
    end

    attr_reader :told, :state

    def initialize
      @told = []
      @state = Changes.new(@told)
    end

    def emit(event)
      @told << ['emit', Options.camel(event)]
      nil
    end
  end
end
