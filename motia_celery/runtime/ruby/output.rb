# frozen_string_literal: true

require 'stringio'

require_relative 'call'

module MotiaCelery
  # Stands for $stdout or $stderr: what a handler prints is a line of its run; outside of one it
  # goes where it always went. STDOUT and STDERR stay what they are.
  class Output
    def self.capture
      $stdout = new($stdout, 'info')
      $stderr = new($stderr, 'warn')
    end

    def initialize(real, level)
      @real = real
      @level = level
    end

    def write(*parts)
      text = parts.join
      Call.current&.print(@level, text) || @real.write(text)
      text.bytesize
    end

    def puts(*values)
      formatted { |buffer| buffer.puts(*values) }
    end

    def print(*values)
      formatted { |buffer| buffer.print(*values) }
    end

    def printf(*values)
      formatted { |buffer| buffer.printf(*values) }
    end

    def putc(value)
      formatted { |buffer| buffer.putc(value) }
      value
    end

    def <<(value)
      write(value.to_s)
      self
    end

    def respond_to_missing?(name, all = false)
      @real.respond_to?(name, all)
    end

    def method_missing(name, *arguments, &block)
      @real.public_send(name, *arguments, &block)
    end

    private

    def formatted
      buffer = StringIO.new
      yield buffer
      write(buffer.string)
      nil
    end
  end
end
