"""The Lua scripts of state in Redis: each is one atomic step, and first drops what has expired.

KEYS: the group's hash, the set of group names, the group's expiry times (a sorted set of its
keys), the next expiry of each group that has any. ARGV begins with the group's name. Times are
milliseconds on the server's clock. Each change is published, without the value, for those who
watch: ``["set", group, key]``, ``["delete", group, key]``, or ``["clear", group]``; and
``["expire", group]`` once it is noticed.

Where triggers hear the change, the outbox is a fifth key, and what they are told is the last of
ARGV; what expires is not told.

Hashes whose fields expire by themselves exist only in Redis 7.4 and Valkey 9, so the times are
kept beside the hash: values stay plain JSON that any program can read.
"""

from __future__ import annotations

from motia_celery.stores.telling import TELL

_OPENING = (
    TELL
    + """
local hash, names, expiry, expiring, group = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function tell(...)
  redis.call('PUBLISH', names .. ':changed', cjson.encode({...}))
end

-- Brings the set of names and the next expiry in line with what the group holds.
local function settle(hash, expiry, group)
  if redis.call('EXISTS', hash) == 0 then
    redis.call('SREM', names, group)
    redis.call('DEL', expiry)
    redis.call('ZREM', expiring, group)
    return
  end
  local first = redis.call('ZRANGE', expiry, 0, 0, 'WITHSCORES')
  if first[2] then redis.call('ZADD', expiring, first[2], group)
  else redis.call('ZREM', expiring, group) end
end

local function purge(hash, expiry, group)
  if redis.call('EXISTS', expiry) == 0 then return end
  local at, some = now(), false
  local gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', at, 'LIMIT', 0, 1000)
  while #gone > 0 do
    redis.call('HDEL', hash, unpack(gone))
    redis.call('ZREM', expiry, unpack(gone))
    some = true
    gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', at, 'LIMIT', 0, 1000)
  end
  if some then
    settle(hash, expiry, group)
    tell('expire', group)
  end
end

-- Drops what has expired in groups that nobody asks for.
local function sweep(hashes, expiries, limit)
  local due = redis.call('ZRANGEBYSCORE', expiring, '-inf', now(), 'LIMIT', 0, limit)
  for _, other in ipairs(due) do purge(hashes .. other, expiries .. other, other) end
end

local function changed(key, old, new)
  if not heard then return end
  local head = '{"type":"state","group_id":' .. cjson.encode(group) .. ',"item_id":'
    .. cjson.encode(key) .. ',"old_value":'
  local tail = ',"new_value":' .. (new or 'null') .. '}'
  local body = head .. (old or 'null') .. tail
  if #body > heard.limit then body = head .. 'null,"old_value_omitted":true' .. tail end
  start(key, body)
end

local function put(key, value, ttl)
  redis.call('HSET', hash, key, value)
  redis.call('SADD', names, group)
  tell('set', group, key)
  if ttl == 'keep' then return end
  if ttl == '' then
    if redis.call('ZREM', expiry, key) == 1 then settle(hash, expiry, group) end
  else
    redis.call('ZADD', expiry, now() + ttl, key)
    settle(hash, expiry, group)
  end
end

local function take_out(key)
  redis.call('HDEL', hash, key)
  redis.call('ZREM', expiry, key)
  settle(hash, expiry, group)
  tell('delete', group, key)
end

purge(hash, expiry, group)
"""
)

#: ARGV: the key.
GET = _OPENING + "return redis.call('HGET', hash, ARGV[2])"

ITEMS = _OPENING + "return redis.call('HGETALL', hash)"

#: What is left of the lives of the group's keys: a key, milliseconds, a key, …
EXPIRIES = (
    _OPENING
    + """
local found, at = redis.call('ZRANGE', expiry, 0, -1, 'WITHSCORES'), now()
for i = 2, #found, 2 do found[i] = tostring(found[i] - at) end
return found
"""
)

#: ARGV: the key, the value, its life in ms ('' for ever), what hashes' and expiries' names begin
#: with.
SET = (
    _OPENING
    + """
if heard then changed(ARGV[2], redis.call('HGET', hash, ARGV[2]), ARGV[3]) end
put(ARGV[2], ARGV[3], ARGV[4])
if ARGV[4] ~= '' then sweep(ARGV[5], ARGV[6], 8) end
"""
)

#: ARGV: the key, what it is expected to hold ('' for nothing), the value ('' to delete), its life
#: in ms ('' for ever, 'keep' as it is). Gives 1, or 0 and what it holds instead.
SWAP = (
    _OPENING
    + """
local found = redis.call('HGET', hash, ARGV[2])
if (found or '') ~= ARGV[3] then return {0, found} end
if ARGV[4] == '' then
  if found then changed(ARGV[2], found, nil) end
  take_out(ARGV[2])
else
  changed(ARGV[2], found, ARGV[4])
  put(ARGV[2], ARGV[4], ARGV[5])
end
return {1}
"""
)

#: ARGV: the key.
TAKE_OUT = (
    _OPENING
    + """
local found = redis.call('HGET', hash, ARGV[2])
if found then
  changed(ARGV[2], found, nil)
  take_out(ARGV[2])
end
return found
"""
)

CLEAR = (
    _OPENING
    + """
if heard then
  local held = redis.call('HGETALL', hash)
  for i = 1, #held, 2 do changed(held[i], held[i + 1], nil) end
end
if redis.call('DEL', hash) == 1 then tell('clear', group) end
settle(hash, expiry, group)
"""
)

#: ARGV: what hashes' and expiries' names begin with.
GROUPS = _OPENING + "sweep(ARGV[2], ARGV[3], -1)\nreturn redis.call('SMEMBERS', names)"
