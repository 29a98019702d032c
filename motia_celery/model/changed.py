"""What starts one trigger of a Step alone: the topics of its events, and the input of changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from motia_celery.model.members import Members

ChangeKind = Literal["state", "stream"]
LoneKind = Literal["state", "stream", "cron"]

_TOPIC: Final = re.compile(r"motia\.(state|stream|cron)\.(\d{1,4})")
_KINDS: Final[Mapping[str, LoneKind]] = {"state": "state", "stream": "stream", "cron": "cron"}


def change_topic(kind: LoneKind, index: int) -> str:
    """The topic of the events that start a Step's trigger of this index. Nobody subscribes to it:
    they are sent to the Step alone.
    """
    return f"motia.{kind}.{index}"


def change_trigger(topic: str | None) -> tuple[LoneKind, int] | None:
    """The kind and index of the trigger that events of the topic start; None for other topics."""
    found = _TOPIC.fullmatch(topic or "")
    if found is None:
        return None
    return _KINDS[found[1]], int(found[2])


class StateTriggerInput(Members):
    """A change of state: ``group_id``, ``item_id``, ``old_value`` and ``new_value``, of which one
    is None where the key was made or deleted. ``type`` is ``state``.
    """


class StreamTriggerInput(Members):
    """A change of a stream: ``timestamp`` in ms, ``stream_name``, ``group_id``, ``id`` of the item
    (None for an event that was sent to a group), and ``event`` with its ``type`` (create, update,
    delete or event) and its ``data``. ``type`` is ``stream``.

    Its keys are Motia's: ``streamName`` and ``groupId``.
    """

    _other_names: ClassVar[Mapping[str, str]] = {"stream_name": "streamName", "group_id": "groupId"}


class StreamEvent(Members):
    """What happened in a stream: its ``type`` and its ``data``."""


def change_input(kind: str, data: Any) -> Any:
    """An event's data as a handler gets it, where a change of this kind starts its run."""
    if not isinstance(data, dict):
        return data
    if kind == "state":
        return StateTriggerInput(data)
    if kind != "stream":
        return data
    event = data.get("event")
    told = {"event": StreamEvent(event)} if isinstance(event, dict) else {}
    return StreamTriggerInput(data | told)
