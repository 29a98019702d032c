"""The live feed: who is told what, and what one who comes back has missed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from motia_celery.workbench import hub as hub_module
from motia_celery.workbench.hub import Hub, Listener
from motia_celery.workbench.shapes.feed import DeadLettersMessage, StateMessage

EVERYTHING: Any = ("runs", "logs", "queues", "state", "streams")


def told(listener: Listener) -> list[Any]:
    """What waits for a listener."""
    return [message for _, message in listener._waiting]


def kinds(listener: Listener) -> list[str]:
    return [message.type for message in told(listener)]


def letters(count: int) -> DeadLettersMessage:
    return DeadLettersMessage(count=count)


def test_the_first_message_is_to_fetch_everything() -> None:
    hub = Hub()
    hub.tell(letters(1))
    assert kinds(hub.join(EVERYTHING)) == ["reset"]


def test_a_listener_is_told_what_it_wants_only() -> None:
    hub = Hub()
    listener = hub.join(["state"])
    hub.tell(letters(1))
    hub.tell(StateMessage(group="g", key="k", change="set"))
    assert kinds(listener) == ["reset", "state"]


def test_one_who_comes_back_is_told_what_was_missed() -> None:
    hub = Hub()
    listener = hub.join(EVERYTHING)
    hub.tell(letters(1))
    number, _ = listener._waiting[-1]
    hub.leave(listener)
    hub.tell(letters(2))
    hub.tell(letters(3))
    again = hub.join(EVERYTHING, hub.event_id(number))
    assert told(again) == [letters(2), letters(3)]
    assert told(hub.join(EVERYTHING, hub.event_id(number + 2))) == []


@pytest.mark.parametrize("since", ["", "x", "other-1", "-1", "{name}-", "{name}-99", "{name}-²"])
def test_one_whose_place_is_not_known_begins_anew(since: str) -> None:
    hub = Hub()
    hub.tell(letters(1))
    assert kinds(hub.join(EVERYTHING, since.format(name=hub.name))) == ["reset"]


def test_one_who_was_away_for_too_long_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "KEPT", 2)
    hub = Hub()
    for count in range(4):
        hub.tell(letters(count))
    assert told(hub.join(EVERYTHING, hub.event_id(2))) == [letters(2), letters(3)]
    assert kinds(hub.join(EVERYTHING, hub.event_id(1))) == ["reset"]


def test_after_a_gap_nothing_is_resumed() -> None:
    hub = Hub()
    hub.tell(letters(1))
    hub.forget()
    assert kinds(hub.join(EVERYTHING, hub.event_id(1))) == ["reset"]
    assert kinds(hub.join(EVERYTHING, hub.event_id(2))) == []


def test_one_who_reads_too_slowly_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LIMIT", 3)
    hub = Hub()
    listener = hub.join(EVERYTHING)
    for count in range(5):
        hub.tell(letters(count))
    assert kinds(listener) == ["reset", "dead_letters", "dead_letters"]
    assert told(listener)[1:] == [letters(3), letters(4)]


async def test_next_waits_for_a_message_and_ends_with_the_hub() -> None:
    hub = Hub()
    listener = hub.join(EVERYTHING)
    assert (await listener.next(5))[1].type == "reset"  # type: ignore[index]
    waiting = asyncio.create_task(listener.next(30))
    await asyncio.sleep(0)
    hub.tell(letters(7))
    assert (await waiting)[1] == letters(7)  # type: ignore[index]
    assert await listener.next(0.001) is None
    ending = asyncio.create_task(listener.next(30))
    await asyncio.sleep(0)
    hub.stop()
    assert await ending is None
    assert listener.is_over


async def test_gathering_begins_with_a_listener_and_ends_after_the_last_one() -> None:
    hub = Hub()
    wanted = asyncio.create_task(hub.until_wanted(frozenset({"queues"})))
    other = hub.join(["state"])
    await asyncio.sleep(0)
    assert not wanted.done()
    listener = hub.join(["queues"])
    await asyncio.wait_for(wanted, 60)
    unwanted = asyncio.create_task(hub.until_unwanted(frozenset({"queues"}), 0.01))
    await asyncio.sleep(0.05)
    assert not unwanted.done()
    hub.leave(listener)
    await asyncio.wait_for(unwanted, 60)
    hub.leave(other)
