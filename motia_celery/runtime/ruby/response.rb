# frozen_string_literal: true

require_relative 'faults'
require_relative 'fields'

module MotiaCelery
  # The response that a handler writes itself. Each part is answered once the client has room for more.
  class Response
    def initialize(call)
      @call = call
      @status = nil
      @headers = {}
      @lock = Mutex.new
    end

    def status(code)
      change { @status = code }
    end

    def headers(headers)
      change { @headers.merge!(headers.to_h.transform_keys(&:to_s)) }
    end

    # Sends a part, of text or bytes; the first one sends the status and the headers before.
    def write(part)
      raise Fault.new('ClientGoneError', 'the client has closed the connection') if @is_gone

      start
      @call.request('response.write', part)
      self
    end
    alias << write

    # What can be written to; it writes all that `parts` gives.
    def stream(parts = nil)
      parts = [parts] if parts.is_a?(String)
      parts&.each { |part| write(part) }
      self
    end

    def close
      start
      @lock.synchronize do
        @call.request('response.close') unless @is_closed
        @is_closed = true
      end
    end

    def leave
      @is_gone = true
    end

    # The result of the run: what the handler returned, unless it wrote its response.
    def finish(result)
      unless @is_begun
        return result if @status.nil? && @headers.empty?
        return with_head(result) unless result.nil?
      end
      close
      nil
    end

    private

    def change
      raise 'the response has begun: set the status and the headers before' if @is_begun

      yield
      self
    end

    def start
      @lock.synchronize do
        @call.request('response.start', @status || 200, @headers) unless @is_begun
        @is_begun = true
      end
    end

    def with_head(result)
      return result unless result.is_a?(Hash)

      result = result.transform_keys(&:to_s)
      { 'status' => @status || 200, **result, 'headers' => @headers.merge((result['headers'] || {}).transform_keys(&:to_s)) }
    end
  end

  # A request as handlers get it: its fields, and what it is beside them.
  class Request < Fields
    attr_reader :response

    def self.read(message, call)
      new(Fields.of(message['input']).__table).tap { |request| request.receive(message['request'] || {}, Response.new(call)) }
    end

    def receive(told, response)
      @told = told
      @response = response
    end

    # Handlers of Motia 1.0 may take the request out of what they are given.
    def request
      self
    end

    def method(*)
      @told['method']
    end

    def path
      @told['path']
    end
  end
end
