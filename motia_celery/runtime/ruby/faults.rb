# frozen_string_literal: true

module MotiaCelery
  # An error with a name of its own, as another process told it.
  class Fault < StandardError
    attr_reader :name, :code

    def initialize(name, message, code = nil)
      super(message)
      @name = name
      @code = code
    end
  end

  # Ends a handler. No `rescue` without a class takes it.
  class Cancelled < Exception; end # rubocop:disable Lint/InheritException

  # Errors as they cross: name, message, code, stack, and the project's line.
  module Faults
    OWN = "#{__dir__}/"
    ROOT = "#{Dir.pwd}/"
    UNNAMED = /\A#<.*>::/.freeze
    PLACE = /\A(.+?):(\d+)(?::|\z)/.freeze

    module_function

    def describe(error)
      found = { 'name' => name(error), 'names' => names(error), 'message' => message(error), 'stack' => stack(error) }
      found['code'] = error.code.to_s if error.respond_to?(:code) && [String, Integer, Symbol].any? { |kind| error.code.is_a?(kind) }
      file, line = place(error)
      file ? found.merge('file' => file, 'line' => line) : found
    end

    # What it inherits from, so that a retry policy may name that.
    def names(error)
      kinds = error.class.ancestors.grep(Class).take_while { |kind| kind != Exception }
      kinds.map { |kind| kind.to_s.sub(UNNAMED, '') }.flat_map { |full| [full, full.split('::').last] }.uniq
    end

    # Without the module that the file lives in, which has no name.
    def name(error)
      case error
      when Fault then error.name
      when Cancelled then 'Cancelled'
      else error.class.to_s.sub(UNNAMED, '')
      end
    end

    def message(error)
      case error
      when SystemExit then 'exit was called: a Step must not end its process'
      when SyntaxError then error.message.sub(PLACE, '').strip.sub(/\Asyntax error, /, '')
      # Not the hints that newer versions add.
      when NameError then error.respond_to?(:original_message) ? error.original_message : error.message
      else error.message
      end.to_s
    rescue StandardError
      '(its message can not be shown)'
    end

    def stack(error)
      lines = own_less(error).map { |line| "\tfrom #{line}" }
      cause = error.cause
      told = cause && cause != error ? "\ncaused by: #{stack(cause)}" : ''
      ["#{name(error)}: #{message(error)}", *lines].join("\n") + told
    end

    def own_less(error)
      (error.backtrace || []).reject { |line| line.start_with?(OWN, '<internal:') }
    end

    # The innermost place in the project, which installed gems are no part of.
    def place(error)
      lines = error.is_a?(SyntaxError) ? [error.message, *error.backtrace] : error.backtrace
      (lines || []).each do |line|
        file, number = PLACE.match(line)&.captures
        next unless file&.start_with?(ROOT) && !file.start_with?(OWN)

        inside = file.delete_prefix(ROOT)
        return inside, number.to_i unless inside.split('/').any? { |part| part == 'vendor' || part.start_with?('.') }
      end
      nil
    end
  end
end
