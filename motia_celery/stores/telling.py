"""What changes of state and streams start: events that are stored in the outbox in one atomic step
with the change, so that none is lost, and none is of a change that was not made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from motia_celery.model.told import Target, Teller, Told
from motia_celery.stores.names import state_place, stream_place

#: Takes the event of a change, for one who hears it, and the line in which it keeps its place;
#: for stores in memory.
Start = Callable[[Target, str, bytes], None]


def told_of_state(
    teller: Teller | None, group: str, key: str = "", encoded: bytes | None = None
) -> Told | None:
    """What is told of a change to this value.

    Raises:
        EventDataError: no event can carry it.
    """
    told = teller.of_state(group) if teller else None
    if told is not None:
        told.check(encoded, state_place(group, key))
    return told


def told_of_stream(
    teller: Teller | None, stream: str, group: str, encoded: bytes | None = None
) -> Told | None:
    """What is told of a change to an item of the stream.

    Raises:
        EventDataError: no event can carry it.
    """
    told = teller.of_stream(stream, group) if teller else None
    if told is not None:
        told.check(encoded, stream_place(stream, group))
    return told


def keys_and_arguments(
    told: Told | None, keys: list[Any], arguments: list[Any]
) -> tuple[list[Any], list[Any]]:
    """A script's keys and arguments, with what is told at the end of each."""
    if told is None:
        return keys, arguments
    return [*keys, told.outbox.encode()], [*arguments, told.argument]


def start_each(told: Told | None, key: str | None, body: bytes, start: Start) -> None:
    """Starts each who hears a change of this key, as the scripts do."""
    for target in told.targets if told else ():
        if target.item in (None, key):
            line = f"{target.emitter}:{key or ''}" if target.by_key else target.emitter
            start(target, line, body)


#: For scripts with four keys of their own; ``start`` stores an event for each who hears it.
TELL: Final = """
local heard = KEYS[5] and cjson.decode(ARGV[#ARGV])

local function start(key, body)
  for _, target in ipairs(heard.targets) do
    if target.item == nil or target.item == key then
      local line = target.emitter
      if target.by_key then line = line .. ':' .. (key or '') end
      redis.call('XADD', KEYS[5], '*', 'emitter', line, 'payload', target.payload, 'body', body)
    end
  end
end
"""
