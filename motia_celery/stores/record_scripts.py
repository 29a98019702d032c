"""The script that writes records: a batch of runs and log lines in one step.

A run is a hash: ``head`` and ``input`` (JSON), one field ``a:<span id>`` for each attempt
(JSON), ``order`` (their span ids), ``size`` in bytes, and what may change: ``error`` (JSON) and
``state``, which is the last attempt's number, the moment, the status, the run's end and its next
try, parted by spaces, with ``-`` for none. Sorted sets by start list all runs, those of a Step,
those of a trace, and the failed ones.
"""

from __future__ import annotations

#: Arguments for each run.
WIDTH = 10
#: Attempts that are kept of a run: the first, and the last ones.
ATTEMPTS_KEPT = 50
#: Clocks of two machines may differ by so much, and still tell which attempt is the later one.
SKEW_MS = 250

# ARGV: prefix, runs kept, oldest start kept (ms), bytes kept, log lines kept, days kept (s),
# worker, summary for those who watch, number of runs, the runs, the log lines.
WRITE = f"""
local prefix, kept, oldest, bytes_kept = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local call = redis.call
local runs, failed, total = prefix..':runs', prefix..':runs:failed', prefix..':runs:bytes'
local of_run, of_step, of_trace = prefix..':run:', prefix..':runs:step:', prefix..':runs:trace:'

local function parts(state)
  local number, at, status = string.match(state, '^(%S+) (%S+) (%S+)')
  return tonumber(number), tonumber(at), status
end

local function is_later(number, at, was_number, was_at)
  local delta = at - was_at
  if number == was_number then return delta >= 0 end
  -- A replay counts attempts from 1 again, so the number alone does not tell.
  if number > was_number then return delta >= -{SKEW_MS} end
  return delta > {SKEW_MS}
end

local function with_room(key, order)
  local spans = {{}}
  for one in string.gmatch(order, '%S+') do spans[#spans + 1] = one end
  if #spans <= {ATTEMPTS_KEPT} then return order, 0 end
  local lost = call('HSTRLEN', key, 'a:'..spans[2])
  call('HDEL', key, 'a:'..spans[2])
  call('HINCRBY', key, 'forgotten', 1)
  table.remove(spans, 2)
  return table.concat(spans, ' '), lost
end

local at, count, grown = 9, tonumber(ARGV[9]), 0
for _ = 1, count do
  local id, span, state, started = ARGV[at+1], ARGV[at+2], ARGV[at+3], ARGV[at+4]
  local step, trace, head, input = ARGV[at+5], ARGV[at+6], ARGV[at+7], ARGV[at+8]
  local attempt, fault = ARGV[at+9], ARGV[at+10]
  local number, changed, status = parts(state)
  local key, size = of_run..id, #head + #input + #attempt + 500
  local was = call('HMGET', key, 'size', 'order', 'state', 'started')
  if not was[1] then
    call('HSET', key, 'head', head, 'input', input, 'step', step, 'trace', trace,
      'started', started, 'size', size, 'order', span, 'state', state, 'error', fault,
      'a:'..span, attempt)
    if span == '' then call('HDEL', key, 'a:') end
    call('ZADD', runs, started, id)
    call('ZADD', of_step..step, started, id)
    call('ZADD', of_trace..trace, started, id)
    if status == 'failed' then call('ZADD', failed, started, id) end
    grown = grown + size
  else
    local set, more = {{}}, 0
    if span ~= '' then
      local order, before = was[2], call('HSTRLEN', key, 'a:'..span)
      more = #attempt - before + #input - call('HSTRLEN', key, 'input')
      if before == 0 then
        local lost
        order, lost = with_room(key, order == '' and span or order..' '..span)
        more = more - lost
      end
      set = {{'input', input, 'a:'..span, attempt, 'order', order}}
    end
    local was_number, was_at, was_status = parts(was[3])
    if is_later(number, changed, was_number, was_at) then
      for _, one in ipairs({{'state', state, 'error', fault}}) do set[#set + 1] = one end
      if status == 'failed' then call('ZADD', failed, was[4], id)
      elseif was_status == 'failed' then call('ZREM', failed, id) end
    end
    set[#set + 1], set[#set + 2] = 'size', tonumber(was[1]) + more
    call('HSET', key, unpack(set))
    grown = grown + more
  end
  at = at + {WIDTH}
end

local held, number = call('INCRBY', total, grown), call('ZCARD', runs)
local function forget(id)
  local key = of_run..id
  local found = call('HMGET', key, 'step', 'trace', 'size')
  call('UNLINK', key)
  if found[1] then call('ZREM', of_step..found[1], id) end
  if found[2] then call('ZREM', of_trace..found[2], id) end
  call('ZREM', failed, id)
  return tonumber(found[3] or 0)
end
local first, freed, gone = call('ZRANGE', runs, 0, 0, 'WITHSCORES'), 0, 0
if held > bytes_kept or number > kept or (first[2] and tonumber(first[2]) < tonumber(oldest)) then
  first = call('ZRANGE', runs, 0, 2 * count + 100, 'WITHSCORES')
end
for i = 1, #first, 2 do
  local is_old = tonumber(first[i + 1]) < tonumber(oldest)
  if not (is_old or held - freed > bytes_kept or number - gone > kept) then break end
  freed = freed + forget(first[i])
  gone = gone + 1
end
if gone > 0 then
  call('ZREMRANGEBYRANK', runs, 0, gone - 1)
  if gone == number then call('DEL', total) else call('DECRBY', total, freed) end
end

local lines, most = prefix..':logs', ARGV[5]
if at < #ARGV and tonumber(most) > 0 then
  for i = at + 1, #ARGV do call('XADD', lines, '*', 'line', ARGV[i]) end
  call('XTRIM', lines, 'MAXLEN', '~', most)
  call('EXPIRE', lines, ARGV[6])
end

local time = call('TIME')
call('ZADD', prefix..':runs:workers', time[1], ARGV[7])
call('ZREMRANGEBYSCORE', prefix..':runs:workers', '-inf', tonumber(time[1]) - 86400)
if ARGV[8] == '' then return 0 end
return call('PUBLISH', prefix..':runs:changed', ARGV[8])
"""
