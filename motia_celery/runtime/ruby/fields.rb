# frozen_string_literal: true

module MotiaCelery
  # A JSON object as handlers get it: `data.name`, `data[:name]` and `data['name']` are the same.
  # What is not there is nil. A field is never hidden by a method of the same name.
  class Fields
    def self.of(value)
      case value
      when Hash then new(value.transform_values { |part| of(part) })
      when Array then value.map { |part| of(part) }
      else value
      end
    end

    OWN = /\A(?!__|instance_|object_id)[a-z_]\w*\z/i.freeze
    private_constant :OWN

    attr_reader :__table

    def initialize(table = {})
      @__table = {}
      table.each { |name, value| self[name] = value }
    end

    def [](name)
      @__table[name.to_s]
    end

    def []=(name, value)
      name = name.to_s
      shadow(name) if OWN.match?(name) && Fields.method_defined?(name)
      @__table[name] = value
    end

    def fetch(name, *fallback, &block)
      @__table.fetch(name.to_s, *fallback, &block)
    end

    def dig(name, *names)
      value = @__table[name.to_s]
      names.empty? || value.nil? ? value : value.dig(*names)
    end

    def key?(name)
      @__table.key?(name.to_s)
    end

    def keys
      @__table.keys
    end

    def values
      @__table.values
    end

    def each_pair(&block)
      @__table.each_pair(&block)
    end
    alias each each_pair

    # With symbols, as a Hash that was written by hand has them.
    def to_h
      @__table.transform_keys(&:to_sym)
    end

    def deconstruct_keys(_names)
      to_h
    end

    def to_json(*options)
      @__table.to_json(*options)
    end

    def ==(other)
      other.is_a?(Fields) && other.__table == @__table
    end

    def inspect
      "#<#{@__table.map { |name, value| "#{name}=#{value.inspect}" }.join(', ')}>"
    end
    alias to_s inspect

    def respond_to_missing?(name, _all = false)
      @__table.key?(name.to_s.chomp('=')) || super
    end

    def method_missing(name, *arguments)
      text = name.to_s
      return self[text.chomp('=')] = arguments.first if text.end_with?('=')
      return super unless arguments.empty?

      @__table.fetch(text) { @__table[camel(text)] }
    end

    private

    def initialize_copy(other)
      super
      @__table = other.__table.dup
    end

    def shadow(name)
      define_singleton_method(name) { |*| @__table[name] }
    end

    def camel(name)
      name.gsub(/_([a-z])/) { Regexp.last_match(1).upcase }
    end
  end
end
