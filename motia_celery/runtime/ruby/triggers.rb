# frozen_string_literal: true

module MotiaCelery
  # The triggers of a config that lists them, as Motia 1.0 has it.
  class Triggers
    KINDS = {
      'http' => 'http', 'api' => 'http', 'queue' => 'queue', 'event' => 'queue',
      'cron' => 'cron', 'state' => 'state', 'stream' => 'stream'
    }.freeze
    Trigger = Struct.new(:kind, :condition, :middleware)

    # Those of the definition, or nil where its config has a type of its own.
    def self.of(definition)
      listed = definition.setting('triggers')
      new(definition, listed) if listed.is_a?(Array) && definition.setting('type').nil?
    end

    def initialize(definition, listed)
      @listed = listed
      @all = listed.map do |one|
        setting = ->(name) { definition.setting(name, one) }
        Trigger.new(KINDS.fetch(setting['type'].to_s, ''), setting['condition'], definition.functions(setting['middleware']))
      end
    end

    def [](index)
      @all[index]
    end

    # Whether a handler of one argument gets the context alone.
    def only_cron?
      @all.all? { |one| one.kind == 'cron' }
    end

    # What is told of them; conditions with the same number are the same function.
    def describe
      @all.map do |one|
        { 'kind' => one.kind, 'condition' => yield(one.condition), 'same' => @all.index { |other| other.condition == one.condition } }
      end
    end

    def crossing(&block)
      @listed.map(&block)
    end
  end
end
