"""The script that writes records: a batch of runs and log lines in one step.

A run is a hash: ``head`` and ``input`` (JSON), one field ``a:<span id>`` for each attempt
(JSON), ``order`` (their span ids), and what may change: ``status``, ``at``, ``number``,
``ended``, ``retry``, ``error``. Sorted sets by start list all runs, those of a Step, those of a
trace, and the failed ones.
"""

from __future__ import annotations

#: Arguments for each run.
WIDTH = 14
#: Attempts that are kept of a run: the first, and the last ones.
ATTEMPTS_KEPT = 50
#: Clocks of two machines may differ by so much, and still tell which attempt is the later one.
SKEW_MS = 250

# ARGV: prefix, runs kept, oldest start kept (ms), bytes kept, log lines kept, days kept (s),
# worker, summary for those who watch, number of runs, the runs, the log lines.
WRITE = f"""
local prefix, kept, oldest, bytes_kept = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local runs, failed, sizes = prefix..':runs', prefix..':runs:failed', prefix..':runs:sizes'
local total = prefix..':runs:bytes'

local function is_later(key, number, at)
  local was = redis.call('HMGET', key, 'number', 'at')
  if not was[1] then return true end
  local delta = at - tonumber(was[2])
  if number == tonumber(was[1]) then return delta >= 0 end
  -- A replay counts attempts from 1 again, so the number alone does not tell.
  if number > tonumber(was[1]) then return delta >= -{SKEW_MS} end
  return delta > {SKEW_MS}
end

local function keep_attempt(key, span, text)
  local order = redis.call('HGET', key, 'order') or ''
  local before = redis.call('HSTRLEN', key, 'a:'..span)
  redis.call('HSET', key, 'a:'..span, text)
  if before > 0 then return #text - before end
  order = order == '' and span or order..' '..span
  local spans = {{}}
  for one in string.gmatch(order, '%S+') do spans[#spans + 1] = one end
  if #spans > {ATTEMPTS_KEPT} then
    before = redis.call('HSTRLEN', key, 'a:'..spans[2])
    redis.call('HDEL', key, 'a:'..spans[2])
    redis.call('HINCRBY', key, 'forgotten', 1)
    table.remove(spans, 2)
    order = table.concat(spans, ' ')
  end
  redis.call('HSET', key, 'order', order)
  return #text - before
end

local function forget(id)
  local key = prefix..':run:'..id
  local found = redis.call('HMGET', key, 'step', 'trace')
  redis.call('DEL', key)
  redis.call('ZREM', runs, id)
  redis.call('ZREM', failed, id)
  if found[1] then redis.call('ZREM', prefix..':runs:step:'..found[1], id) end
  if found[2] then redis.call('ZREM', prefix..':runs:trace:'..found[2], id) end
  local size = tonumber(redis.call('HGET', sizes, id) or '0')
  redis.call('HDEL', sizes, id)
  return redis.call('INCRBY', total, -size)
end

local at = 9
local count, grown = tonumber(ARGV[9]), 0
for _ = 1, count do
  local id, span, number = ARGV[at+1], ARGV[at+2], tonumber(ARGV[at+3])
  local changed, status, started = tonumber(ARGV[at+4]), ARGV[at+5], ARGV[at+6]
  local ended, retry, step, trace = ARGV[at+7], ARGV[at+8], ARGV[at+9], ARGV[at+10]
  local head, input, attempt, fault = ARGV[at+11], ARGV[at+12], ARGV[at+13], ARGV[at+14]
  local key, size = prefix..':run:'..id, 0
  if redis.call('HSETNX', key, 'head', head) == 1 then
    size = #head + 500
    redis.call('HSET', key, 'step', step, 'trace', trace, 'started', started)
    redis.call('ZADD', runs, started, id)
    redis.call('ZADD', prefix..':runs:step:'..step, started, id)
    redis.call('ZADD', prefix..':runs:trace:'..trace, started, id)
  end
  if span ~= '' then
    size = size + #input - redis.call('HSTRLEN', key, 'input')
    redis.call('HSET', key, 'input', input)
    size = size + keep_attempt(key, span, attempt)
  end
  if is_later(key, number, changed) then
    redis.call('HSET', key, 'number', number, 'at', changed, 'status', status, 'ended', ended,
      'retry', retry, 'error', fault)
    if status == 'failed' then
      redis.call('ZADD', failed, redis.call('HGET', key, 'started'), id)
    else
      redis.call('ZREM', failed, id)
    end
  end
  redis.call('HINCRBY', sizes, id, size)
  grown = grown + size
  at = at + {WIDTH}
end

local held = redis.call('INCRBY', total, grown)
for _ = 1, count * 2 + 100 do
  local first = redis.call('ZRANGE', runs, 0, 0, 'WITHSCORES')
  if not first[1] then redis.call('DEL', total, sizes) break end
  local is_old = tonumber(first[2]) < tonumber(oldest)
  if not (is_old or held > bytes_kept or redis.call('ZCARD', runs) > kept) then break end
  held = forget(first[1])
end

local lines, most = prefix..':logs', ARGV[5]
if at < #ARGV and tonumber(most) > 0 then
  for i = at + 1, #ARGV do redis.call('XADD', lines, '*', 'line', ARGV[i]) end
  redis.call('XTRIM', lines, 'MAXLEN', '~', most)
  redis.call('EXPIRE', lines, ARGV[6])
end

local time = redis.call('TIME')
redis.call('ZADD', prefix..':runs:workers', time[1], ARGV[7])
redis.call('ZREMRANGEBYSCORE', prefix..':runs:workers', '-inf', tonumber(time[1]) - 86400)
if ARGV[8] == '' then return 0 end
return redis.call('PUBLISH', prefix..':runs:changed', ARGV[8])
"""
