"""The Lua scripts of streams in Redis: each changes items, logs it and publishes it in one step.

KEYS: the group's items (a hash), the names of the stream's groups, the clock, the group's log
(a Redis stream). ARGV: the group's name, the channel, the change's ``"stream":…,"group":…``,
the log's length, its life in ms, and what each script adds.

The clock gives versions: the server's time in microseconds, or one more than the last version
where that is greater. So they never repeat and need no counter for each group; they go on
rising if Redis lost its data; and a version tells whether the log can reach back to it.

Where triggers hear the change, the outbox is a fifth key, and what they are told is the last of
ARGV.

An item is stored as ``{"created":ms,"order":version,"item":{…}}``.
"""

from __future__ import annotations

from motia_celery.stores.telling import TELL

_CLOCK = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
"""

_OPENING = (
    _CLOCK
    + TELL
    + """
local items, groups, clock, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, channel, place, length, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local function tick()
  local version = now()
  local last = tonumber(redis.call('HGET', clock, 'last') or '0')
  if version <= last then version = last + 1 end
  local text = string.format('%.0f', version)
  redis.call('HSET', clock, 'last', text)
  redis.call('HSETNX', clock, 'born', text)
  return version, text
end

local function tell(kind, id, data, version)
  local change = '{"version":' .. version .. ',' .. place .. ',"id":' .. id
    .. ',"type":"' .. kind .. '","data":' .. data .. '}'
  redis.call('XADD', log, 'MAXLEN', '~', length, version .. '-0', 'change', change)
  redis.call('PEXPIRE', log, life)
  redis.call('PUBLISH', channel, change)
  if heard then
    local key = cjson.decode('[' .. id .. ']')[1]
    start(key ~= cjson.null and key or nil, '{"type":"stream","timestamp":'
      .. string.sub(version, 1, -4) .. ',"streamName":' .. cjson.encode(heard.stream)
      .. ',"groupId":' .. cjson.encode(group) .. ',"id":' .. id .. ',"event":{"type":"' .. kind
      .. '","data":' .. data .. '}}')
  end
end

local function parts(stored)
  local _, stop, created, order = string.find(stored, '^{"created":(%d+),"order":(%d+),"item":')
  return created, order, string.sub(stored, stop + 1, -2)
end
"""
)

#: ARGV: the id, the id as JSON, the item ('' to delete), when it was created in ms ('' to let
#: the clock tell), what is expected to be stored ('*' for anything, '' for nothing).
#: Gives whether it was done, and what had been stored.
PUT = (
    _OPENING
    + """
local id, name, item, created, expected = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local found = redis.call('HGET', items, id)
if expected ~= '*' and (found or '') ~= expected then return {0, found} end
if item == '' then
  if found then
    local _, _, old = parts(found)
    local _, version = tick()
    tell('delete', name, old, version)
    redis.call('HDEL', items, id)
    if redis.call('EXISTS', items) == 0 then redis.call('SREM', groups, group) end
  end
  return {1, found}
end
local version, text = tick()
local order = text
if found then
  local first
  first, order = parts(found)
  if created == '' then created = first end
elseif created == '' then
  created = string.format('%.0f', math.floor(version / 1000))
end
tell(found and 'update' or 'create', name, item, text)
redis.call('HSET', items, id,
  '{"created":' .. created .. ',"order":' .. order .. ',"item":' .. item .. '}')
redis.call('SADD', groups, group)
return {1, found}
"""
)

#: ARGV: the id as JSON, the event.
SEND = (
    _OPENING
    + """
local _, version = tick()
tell('event', ARGV[6], ARGV[7], version)
"""
)

#: Deletes each item of the group.
CLEAR = (
    _OPENING
    + """
local held = redis.call('HGETALL', items)
for i = 1, #held, 2 do
  local _, _, old = parts(held[i + 1])
  local _, version = tick()
  tell('delete', cjson.encode(held[i]), old, version)
end
redis.call('DEL', items)
redis.call('SREM', groups, group)
"""
)

#: KEYS: the clock, the group's log. ARGV: a version, the log's length, its life in ms.
#: Gives the group's changes after the version, or nil if some of them are not known any more.
SINCE = (
    _CLOCK
    + """
local since = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[1], 'born', 'last')
if not known[1] or since < tonumber(known[1]) or since > tonumber(known[2]) then return nil end
if since == tonumber(known[2]) then return {} end
if now() - since > tonumber(ARGV[3]) * 1000 then return nil end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[2]) then
  local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1][1]
  if tonumber(string.match(first, '^%d+')) > since then return nil end
end
local changes = {}
for i, entry in ipairs(redis.call('XRANGE', KEYS[2], string.format('%.0f', since + 1), '+')) do
  changes[i] = entry[2][2]
end
return changes
"""
)

#: KEYS: the group's log. ARGV: the change's ``"stream":…,"group":…``, the id as JSON.
#: Gives the item's last change that is known, events aside, or nil.
LAST = """
local entries = redis.call('XREVRANGE', KEYS[1], '+', '-')
for _, entry in ipairs(entries) do
  local change = entry[2][2]
  local version = string.match(entry[1], '^%d+')
  local start = '{"version":' .. version .. ',' .. ARGV[1] .. ',"id":' .. ARGV[2] .. ',"type":"'
  if string.sub(change, 1, #start) == start
    and string.sub(change, #start + 1, #start + 5) ~= 'event' then
    return change
  end
end
return nil
"""
