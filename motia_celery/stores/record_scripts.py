"""The script that writes records: a batch of runs and log lines in one step.

A run is a hash: ``head`` and ``input`` (JSON), one field ``a:<span id>`` for each attempt
(JSON), ``order`` (their span ids), ``size`` in bytes, and what may change: ``error`` (JSON) and
``state``, which is the last attempt's number, the moment, the status, the run's end and its next
try, parted by spaces, with ``-`` for none. Sorted sets by start list all runs, those of a Step,
those of a trace, and the failed ones.

Commands for many runs are put together: each is dispatched, and written to Redis's own log.
"""

from __future__ import annotations

#: Arguments for each run.
WIDTH = 10
#: Attempts that are kept of a run: the first, and the last ones.
ATTEMPTS_KEPT = 50
#: Clocks of two machines may differ by so much, and still tell which attempt is the later one.
SKEW_MS = 250

_NAMES = """\
local call = redis.call
local runs, failed, total = prefix..':runs', prefix..':runs:failed', prefix..':runs:bytes'
local of_run, of_step, of_trace = prefix..':run:', prefix..':runs:step:', prefix..':runs:trace:'
"""
_TOGETHER = """\
-- In parts, for the stack of Lua.
local function together(list, command, key)
  for i = 1, #list, 1000 do
    local last = math.min(i + 999, #list)
    if key then call(command, key, unpack(list, i, last))
    else call(command, unpack(list, i, last)) end
  end
end

local function add(lists, name, one, two)
  local list = lists[name]
  if not list then list = {}; lists[name] = list end
  list[#list + 1] = one
  if two then list[#list + 1] = two end
end
"""
_FORGET = """\
local gone, freed, gone_keys, gone_steps, gone_traces = {}, 0, {}, {}, {}
local function forget(id)
  local key = of_run..id
  local found = call('HMGET', key, 'step', 'trace', 'size')
  gone[#gone + 1], gone_keys[#gone_keys + 1] = id, key
  if found[1] then add(gone_steps, found[1], id) end
  if found[2] then add(gone_traces, found[2], id) end
  freed = freed + tonumber(found[3] or 0)
end

local function clear_forgotten()
  together(gone_keys, 'UNLINK')
  for step, ids in pairs(gone_steps) do together(ids, 'ZREM', of_step..step) end
  for trace, ids in pairs(gone_traces) do together(ids, 'ZREM', of_trace..trace) end
  together(gone, 'ZREM', failed)
end
"""

# ARGV: prefix, runs kept, oldest start kept (ms), bytes kept, log lines kept, days kept (s),
# worker, summary for those who watch, number of runs, the runs, the log lines.
WRITE = f"""
local prefix, kept, oldest, bytes_kept = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
{_NAMES}{_TOGETHER}
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
local begun, of_steps, of_traces = {{}}, {{}}, {{}}
for _ = 1, count do
  local id, span, state, started = ARGV[at+1], ARGV[at+2], ARGV[at+3], ARGV[at+4]
  local step, trace, head, input = ARGV[at+5], ARGV[at+6], ARGV[at+7], ARGV[at+8]
  local attempt, fault = ARGV[at+9], ARGV[at+10]
  local number, changed, status = parts(state)
  local key, size = of_run..id, #head + #input + #attempt + 500
  local was = call('HMGET', key, 'size', 'order', 'state', 'started')
  if not was[1] then
    local last, text = 'a:'..span, attempt
    if span == '' then last, text = 'error', fault end
    call('HSET', key, 'head', head, 'input', input, 'step', step, 'trace', trace,
      'started', started, 'size', size, 'order', span, 'state', state, 'error', fault, last, text)
    begun[#begun + 1], begun[#begun + 2] = started, id
    add(of_steps, step, started, id)
    add(of_traces, trace, started, id)
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

together(begun, 'ZADD', runs)
for step, list in pairs(of_steps) do together(list, 'ZADD', of_step..step) end
for trace, list in pairs(of_traces) do together(list, 'ZADD', of_trace..trace) end

local held, number = call('INCRBY', total, grown), call('ZCARD', runs)
{_FORGET}local first = call('ZRANGE', runs, 0, 0, 'WITHSCORES')
if held > bytes_kept or number > kept or (first[2] and tonumber(first[2]) < tonumber(oldest)) then
  first = call('ZRANGE', runs, 0, 2 * count + 100, 'WITHSCORES')
end
for i = 1, #first, 2 do
  local is_old = tonumber(first[i + 1]) < tonumber(oldest)
  if not (is_old or held - freed > bytes_kept or number - #gone > kept) then break end
  forget(first[i])
end
if #gone > 0 then
  clear_forgotten()
  call('ZREMRANGEBYRANK', runs, 0, #gone - 1)
  if #gone == number then call('DEL', total) else call('DECRBY', total, freed) end
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

# ARGV: prefix, the most runs to forget. It gives how many it forgot.
CLEAR = f"""
local prefix = ARGV[1]
{_NAMES}{_TOGETHER}
{_FORGET}
local ids = call('ZRANGE', runs, 0, tonumber(ARGV[2]) - 1)
for _, id in ipairs(ids) do forget(id) end
if #ids > 0 then
  clear_forgotten()
  call('ZREMRANGEBYRANK', runs, 0, #ids - 1)
  if call('EXISTS', runs) == 0 then call('DEL', total) else call('DECRBY', total, freed) end
end
return #ids
"""
