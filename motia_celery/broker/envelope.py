"""What lies in a Redis list: kombu's messages, and whatever else was pushed there.

kombu takes an entry out of the list before it reads it. One that it can not read would be gone,
and would take the worker with it.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from motia_celery.model.event import DEEPEST, parsed

UNREADABLE = "application/octet-stream"


def mend_entries(channel: Any) -> None:
    """Makes each entry that the channel takes a message, so that the hook can refuse it.

    On any channel but one of Redis nothing changes.
    """
    if hasattr(channel, "global_keyprefix"):
        channel.client.set_response_callback("BRPOP", partial(_mended, channel))


def _mended(channel: Any, popped: Sequence[bytes] | None, **_: Any) -> Sequence[bytes] | None:
    if not popped:
        return popped
    key, entry = popped
    if not _is_deep(entry) and (_is_plain_message(entry) or _can_be_read(channel, entry)):
        return popped
    return [key, _message(entry, bytes_to_str(key).rsplit(channel.sep, 1)[0])]


def _is_deep(entry: bytes) -> bool:
    """Whether reading it could take more of Python's stack than there is."""
    if entry.count(b"[") + entry.count(b"{") <= DEEPEST:
        return False
    try:
        parsed(entry)
    except orjson.JSONDecodeError:
        return False  # kombu may read it in spite of that
    except ValueError:
        return True
    return False


def _is_plain_message(entry: bytes) -> bool:
    """Whether it is a message as kombu writes them; True is certain, and found quickly."""
    if b'"__type__"' in entry:  # in kombu's JSON an object with it is something else
        return False
    try:
        message = orjson.loads(entry)
        properties = message["properties"]
        info = properties["delivery_info"]
        base64.b64decode(message["body"], validate=True)
        texts = (properties["delivery_tag"], info["exchange"], info["routing_key"])
    except (ValueError, TypeError, KeyError):
        return False
    return (
        all(isinstance(text, str) for text in texts)
        and properties.get("body_encoding") == "base64"
        and isinstance(message.get("headers"), dict)
    )


def _can_be_read(channel: Any, entry: bytes) -> bool:
    """Whether kombu can read it, tried."""
    try:
        return _is_message(channel.Message(loads(bytes_to_str(entry)), channel=channel))
    except Exception:  # whatever it is, it is no message
        return False


def _is_message(message: Any) -> bool:
    info = message.delivery_info
    texts = (message.delivery_tag, info["exchange"], info["routing_key"])
    json.dumps(message.headers)
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(message.body, (str, bytes))
        and isinstance(message.headers, dict)
    )


def opened(channel: Any, entry: bytes, queue: str) -> dict[str, Any]:
    """The entry as the fields of a message; one that is none becomes the body of one."""
    if not _is_deep(entry):
        with suppress(Exception):  # whatever it is then, it is no message
            fields: dict[str, Any] = orjson.loads(entry)
            if _is_message(channel.Message(fields, channel=channel)):
                return fields
    made: dict[str, Any] = orjson.loads(_message(entry, queue))
    return made


def _message(entry: bytes, queue: str) -> bytes:
    """A message with the entry as its body, of a type that is refused."""
    return orjson.dumps(
        {
            "body": base64.b64encode(entry).decode(),
            "content-type": UNREADABLE,
            "content-encoding": "binary",
            "headers": {},
            "properties": {
                "body_encoding": "base64",
                "delivery_mode": 2,
                "delivery_tag": str(uuid.uuid4()),
                "delivery_info": {"exchange": "", "routing_key": queue},
            },
        }
    )
