# frozen_string_literal: true

# Frames: a 4-byte big-endian length, then UTF-8 JSON. docs/frames.md describes them.
require 'json'
require 'socket'

require_relative 'fields'

module MotiaCelery
  PROTOCOL = 1
  DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024

  # A value can not be sent, or what came is no frame.
  class FrameError < StandardError; end

  # A value has no form in JSON.
  class NoFormError < FrameError; end

  # Bytes that came in a frame; they go out as bytes, even those that could be text.
  class Bytes < String; end

  # Messages as text and back.
  module Frames
    BYTES = '$bytes'
    OBJECT = '$object'
    DEEPEST = 250 # what the other side can read, and pass on
    REPLACEMENT = "\u{fffd}"

    module_function

    def encode(message, limit_bytes = DEFAULT_LIMIT_BYTES)
      body = JSON.generate(plain(message), max_nesting: 0)
      if body.bytesize > limit_bytes
        raise FrameError, "the value is #{body.bytesize} bytes as JSON; #{limit_bytes} are allowed"
      end

      [body.bytesize].pack('N') << body.b
    end

    def decode(body)
      text = body.force_encoding(Encoding::UTF_8)
      message = JSON.parse(text, max_nesting: 0, create_additions: false)
      message = revive(message) if text.include?('"$')
      return message if message.is_a?(Hash) && message['type'].is_a?(String)

      raise FrameError, 'a frame holds no message'
    rescue JSON::ParserError, ArgumentError => error
      raise FrameError, "a frame is not valid: #{error.message}"
    end

    # The value as JSON.generate writes it without doing anything of its own.
    def plain(value, depth = 0)
      raise NoFormError, "the value is nested more than #{DEEPEST} levels deep" if depth > DEEPEST

      case value
      when nil, true, false, Integer then value
      when Bytes then bytes(value)
      when String then text(value)
      when Symbol then text(value.to_s)
      when Hash then object(value, depth)
      when Fields then object(value.__table, depth)
      when Array then value.map { |part| plain(part, depth + 1) }
      when Float then number(value)
      else other(value, depth)
      end
    end

    def object(value, depth)
      inner = {}
      value.each { |key, part| inner[utf8(key.to_s)] = plain(part, depth + 1) }
      mark?(inner) ? { OBJECT => inner } : inner
    end

    def number(value)
      value.finite? ? value : raise(NoFormError, "#{value} has no JSON form")
    end

    # Text that came from a socket or a file is often called binary.
    def text(value)
      return utf8(value) unless value.encoding == Encoding::BINARY

      as_text = value.dup.force_encoding(Encoding::UTF_8)
      as_text.valid_encoding? ? as_text : bytes(value)
    end

    def utf8(value)
      # Where no locale is set, text from outside is called ASCII.
      value = value.dup.force_encoding(Encoding::UTF_8) if value.encoding == Encoding::US_ASCII
      return value.scrub(REPLACEMENT) if value.encoding == Encoding::UTF_8

      value.encode(Encoding::UTF_8, invalid: :replace, undef: :replace, replace: REPLACEMENT)
    end

    def bytes(value)
      { BYTES => [value].pack('m0') }
    end

    def other(value, depth)
      case value
      when Time then value.getutc.strftime('%Y-%m-%dT%H:%M:%S.%LZ')
      when Exception then plain({ name: value.class.to_s, message: value.message, stack: value.backtrace }, depth)
      when Numeric then decimal?(value) ? value.to_s('F') : value.to_s
      else plain(described(value), depth)
      end
    end

    # Dates, sets and structs; all of them may be of a library that was never loaded.
    def described(value)
      return value.iso8601 if value.respond_to?(:iso8601)
      return value.to_a if defined?(::Set) && value.is_a?(::Set)
      return value.to_h if value.is_a?(Struct) || (value.respond_to?(:to_h) && !value.is_a?(Enumerable))

      raise NoFormError, "#{value.class} has no JSON form"
    end

    def decimal?(value)
      defined?(::BigDecimal) && value.is_a?(::BigDecimal)
    end

    def mark?(value)
      value.size == 1 && (value.key?(BYTES) || value.key?(OBJECT))
    end

    # What is inside of an escaped object is the user's own, whose values may be marks.
    def revive(value)
      case value
      when Array then value.map { |part| revive(part) }
      when Hash
        return Bytes.new(value[BYTES].unpack1('m0')) if mark?(value) && value.key?(BYTES)

        value = value[OBJECT] if mark?(value)
        value.transform_values { |part| revive(part) }
      else value
      end
    end
  end

  # The socket to the parent. Messages may be sent from any thread.
  class Connection
    attr_accessor :limit_bytes

    def self.of(descriptor)
      socket = UNIXSocket.for_fd(descriptor)
      socket.close_on_exec = true
      new(socket)
    end

    def initialize(socket)
      @socket = socket
      @limit_bytes = DEFAULT_LIMIT_BYTES
      @lock = Mutex.new
    end

    # A thread that is being ended must not leave half of a frame behind.
    def send(message)
      frame = Frames.encode(message, @limit_bytes)
      Thread.handle_interrupt(Object => :never) { @lock.synchronize { @socket.write(frame) } }
    rescue SystemCallError, IOError
      nil # the parent is gone, which its end of the socket tells too
    end

    # Gives each message that comes, until the socket ends.
    def each
      while (head = @socket.read(4)) && head.bytesize == 4
        length = head.unpack1('N')
        raise FrameError, "a frame of #{length} bytes came in" if length > @limit_bytes

        body = @socket.read(length)
        return if body.nil? || body.bytesize < length

        yield Frames.decode(body)
      end
    rescue SystemCallError, IOError
      nil
    end
  end
end
