"""The script that writes records: a batch of runs and log lines in one step.

A run that was written once is a text (``record_text.py``), as long as only that attempt of it is
written again. From then on it is a hash: ``head`` and ``input`` (JSON), one field ``a:<span id>``
for each attempt (JSON), ``order`` (their span ids), ``size`` in bytes, and what may change:
``error`` (JSON) and ``state``, which is the last attempt's number, the moment, the status, the
run's end and its next try, parted by spaces, with ``-`` for none. Sorted sets by start list all
runs, those of a Step, those of a trace, and the failed ones.

Commands for many runs are put together: each is dispatched, and written to Redis's own log.
"""

from __future__ import annotations

#: Arguments for each run.
WIDTH = 7
#: Attempts that are kept of a run: the first, and the last ones.
ATTEMPTS_KEPT = 50
#: What a run takes beside its text: names, and its places in the sorted sets.
_BESIDE_BYTES = 500
#: So much of a text has the names of its Step and its trace, for nearly all.
_BEGINNING_BYTES = 400
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
_FORGET = f"""\
local gone, freed, gone_keys, gone_steps, gone_traces = {{}}, 0, {{}}, {{}}, {{}}
local function names(key)
  local text = redis.pcall('GETRANGE', key, 0, {_BEGINNING_BYTES - 1})
  if type(text) == 'table' then return unpack(call('HMGET', key, 'step', 'trace', 'size')) end
  local bytes, step, trace, start = string.match(text, '^(%d+) (%d+) (%d+)[^\\n]*\\n()')
  if not bytes then return end
  local rest = start + step
  if rest + trace > {_BEGINNING_BYTES} then text = call('GET', key) end
  return string.sub(text, start, rest - 1), string.sub(text, rest, rest + trace - 1),
    bytes + {_BESIDE_BYTES}
end

local function forget(id)
  local key = of_run..id
  local step, trace, size = names(key)
  gone[#gone + 1], gone_keys[#gone_keys + 1] = id, key
  if step then add(gone_steps, step, id) end
  if trace then add(gone_traces, trace, id) end
  freed = freed + tonumber(size or 0)
end

local function clear_forgotten()
  together(gone_keys, 'UNLINK')
  for step, ids in pairs(gone_steps) do together(ids, 'ZREM', of_step..step) end
  for trace, ids in pairs(gone_traces) do together(ids, 'ZREM', of_trace..trace) end
  together(gone, 'ZREM', failed)
end
"""

# ARGV: prefix, runs kept, oldest start kept (ms), bytes kept, log lines kept, days kept (s),
# worker, number of runs, the runs, the log lines. It gives how many watch.
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

local function parted(text)
  local line, start = string.match(text, '^%d+ ([^\\n]*)\\n()')
  local fields = {{}}
  for size in string.gmatch(line, '%d+') do
    fields[#fields + 1] = string.sub(text, start, start + size - 1)
    start = start + size
  end
  return fields
end

local function size_of(text) return tonumber(string.match(text, '^%d+')) + {_BESIDE_BYTES} end

local function mind_failed(id, started, was, now)
  if now == 'failed' then call('ZADD', failed, started, id)
  elseif was == 'failed' then call('ZREM', failed, id) end
end

-- A run that is a text: it stays one where the same attempt goes on, else it becomes a hash.
local function written_again(key, id, span, state, text)
  local before = call('GET', key)
  local step, trace, started, was, order, head, fault, input, attempt = unpack(parted(before))
  if span ~= '' and span == order then
    local _, _, was_status = parts(was)
    local _, _, status = parts(state)
    call('SET', key, text)
    mind_failed(id, started, was_status, status)
    return true, size_of(text) - size_of(before)
  end
  call('DEL', key)
  call('HSET', key, 'head', head, 'input', input, 'step', step, 'trace', trace, 'state', was,
    'started', started, 'size', size_of(before), 'order', order, 'error', fault,
    'a:'..order, attempt)
  return false
end

local function changed(key, id, span, state, text)
  local _, _, _, _, _, _, fault, input, attempt = unpack(parted(text))
  local was = call('HMGET', key, 'size', 'order', 'state', 'started')
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
  local number, at, status = parts(state)
  local was_number, was_at, was_status = parts(was[3])
  if is_later(number, at, was_number, was_at) then
    for _, one in ipairs({{'state', state, 'error', fault}}) do set[#set + 1] = one end
    mind_failed(id, was[4], was_status, status)
  end
  set[#set + 1], set[#set + 2] = 'size', tonumber(was[1]) + more
  call('HSET', key, unpack(set))
  return more
end

local at, count, grown, known, keys = 8, tonumber(ARGV[8]), 0, 0, {{}}
for i = 1, count do keys[i] = of_run..ARGV[at + (i - 1) * {WIDTH} + 1] end
for i = 1, count, 1000 do
  known = known + call('EXISTS', unpack(keys, i, math.min(i + 999, count)))
end

local texts, waiting, begun, of_steps, of_traces = {{}}, {{}}, {{}}, {{}}, {{}}
for i = 1, count do
  local key, id, span, state, started = keys[i], unpack(ARGV, at + 1, at + 4)
  local step, trace, text = unpack(ARGV, at + 5, at + 7)
  if waiting[key] then
    together(texts, 'MSET')
    texts, waiting, known = {{}}, {{}}, 1
  end
  if known > 0 and call('EXISTS', key) == 1 then
    local is_done, more = false, 0
    if call('TYPE', key).ok == 'string' then
      is_done, more = written_again(key, id, span, state, text)
    end
    if not is_done then more = changed(key, id, span, state, text) end
    grown = grown + more
  else
    texts[#texts + 1], texts[#texts + 2], waiting[key] = key, text, true
    begun[#begun + 1], begun[#begun + 2] = started, id
    add(of_steps, step, started, id)
    add(of_traces, trace, started, id)
    if string.find(state, ' failed ', 1, true) then call('ZADD', failed, started, id) end
    grown = grown + size_of(text)
  end
  at = at + {WIDTH}
end

together(texts, 'MSET')
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
return call('PUBSUB', 'NUMSUB', prefix..':runs:changed')[2]
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
