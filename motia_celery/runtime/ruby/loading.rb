# frozen_string_literal: true

require_relative 'faults'
require_relative 'frames'

module MotiaCelery
  # Reads the configs of files, one after another, as they would be required. While one of them
  # waits for something, those that are left are read beside it.
  class Loading
    PATIENCE_SECONDS = 1
    TELL_SECONDS = 0.3

    def initialize(message, definitions, connection)
      @id = message['id']
      @files = Queue.new
      message['files'].each { |file| @files << file }
      @definitions = definitions
      @connection = connection
      @moves = 0
    end

    def start
      Thread.new do
        until @files.empty?
          @connection.send('type' => 'progress')
          watch(reader)
        end
      end
    end

    private

    # Returns once there is nothing left, or the reader stands still.
    def watch(reader)
      since = now
      until reader.join(TELL_SECONDS)
        if moved?
          since = now
          @connection.send('type' => 'progress')
        elsif now - since > PATIENCE_SECONDS
          return
        end
      end
    end

    # Files that are required move it on too.
    def moved?
      before = @seen
      @seen = [@moves, $LOADED_FEATURES.size]
      before != @seen
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def reader
      Thread.new do
        loop { tell(@files.pop(true)) }
      rescue ThreadError
        nil # no file is left
      end
    end

    def tell(file)
      @connection.send('type' => 'loaded', 'id' => @id, 'file' => file, **found(file))
      @moves += 1
    end

    def found(file)
      definition = @definitions.of(file).describe
      Frames.encode(definition) # what can not cross is the file's fault
      { 'definition' => definition }
    rescue Exception => error # SystemExit and SyntaxError included
      { 'error' => Faults.describe(error) }
    end
  end
end
