# frozen_string_literal: true

require_relative 'faults'
require_relative 'triggers'

module MotiaCelery
  # What a file defines. It is executed in a module of its own, so that the `config` and `handler`
  # of one file are not those of another; what it defines at its top level it can call there.
  class Definition
    HOOKS = %w[onJoin onLeave].freeze

    # No variable of ours may be one of the file's.
    def self.scope
      Module.new.tap { |sandbox| sandbox.extend(sandbox) }.module_eval('binding', __FILE__, __LINE__)
    end

    attr_reader :config, :handler, :triggers

    def initialize(file)
      @scope = self.class.scope
      @scope.eval(File.read(file, encoding: 'BOM|UTF-8'), file, 1)
      @config = variable('config') { method('config')&.call }
      raise Fault.new('Error', 'the file defines no config.', 'NO_CONFIG') if @config.nil?

      @handler = variable('handler') { method('handler') }
      @triggers = Triggers.of(self)
    end

    def middleware
      functions(setting('middleware'))
    end

    # A value of the config, or of a part of it, under a string or a symbol.
    def setting(name, inside = @config)
      inside[name.to_sym] || inside[name] if inside.is_a?(Hash)
    end

    def functions(value)
      [value].flatten.select { |part| function?(part) }
    end

    def describe
      {
        'config' => crossing, 'warnings' => [],
        'hasHandler' => function?(@handler), 'handlerType' => @handler.nil? ? '' : @handler.class.name,
        'hasMiddleware' => !middleware.empty?,
        'hasCanAccess' => function?(setting('canAccess')), 'accessType' => kind(setting('canAccess')),
        'hooks' => HOOKS.map { |name| [name, setting(name)] }.to_h.compact.transform_values { |hook| told(hook) },
        **(@triggers ? { 'triggers' => @triggers.describe { |condition| told(condition) } } : {})
      }
    end

    def function?(value)
      value.is_a?(Proc) || value.is_a?(Method)
    end

    private

    def variable(name)
      @scope.local_variable_defined?(name) ? @scope.local_variable_get(name) : yield
    end

    def method(name)
      @scope.receiver.respond_to?(name, true) ? @scope.receiver.method(name) : nil
    end

    def told(value)
      function?(value) ? 'function' : kind(value)
    end

    def kind(value)
      value.nil? || function?(value) ? '' : value.class.name
    end

    def crossing
      return @config unless @config.is_a?(Hash)

      without_functions(without(@config, 'middleware', 'canAccess').transform_values do |value|
        value.equal?(setting('triggers')) && @triggers ? @triggers.crossing { |one| without(one, 'middleware', 'condition') } : value
      end)
    end

    def without(hash, *names)
      hash.is_a?(Hash) ? hash.reject { |name, _| names.include?(name.to_s) } : hash
    end

    def without_functions(value)
      case value
      when Hash then value.reject { |_, part| function?(part) }.transform_values { |part| without_functions(part) }
      when Array then value.reject { |part| function?(part) }.map { |part| without_functions(part) }
      else value
      end
    end
  end

  # The definitions of the files, each of which is executed once.
  class Definitions
    Entry = Struct.new(:lock, :definition)

    def initialize
      @lock = Mutex.new
      @entries = {}
    end

    def of(file)
      entry = @lock.synchronize { @entries[file] ||= Entry.new(Mutex.new, nil) }
      entry.lock.synchronize { entry.definition ||= Definition.new(file) }
    end
  end
end
