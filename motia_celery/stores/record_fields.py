"""Reading the fields of records, which are texts or hashes (``record_scripts.py``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from motia_celery.stores.record_text import SHOWN_FIELDS, parted, shown_bytes

if TYPE_CHECKING:
    import redis

#: Nearly all that lists show of a run is in so much of its text; a long error is not.
_BEGINNING_BYTES = 2048

#: A record's fields; empty where there is none.
Fields = Mapping[str, bytes | None]


def all_fields(client: redis.Redis, keys: Sequence[str]) -> Sequence[Fields]:
    """All fields of the records with these keys."""
    found = _each(client, keys, lambda pipe, key: pipe.get(key))
    hashes = _each(client, _other(found), lambda pipe, key: pipe.hgetall(key))
    told: dict[str, Fields] = {key: parted(text) for key, text in _texts(found).items()}
    told |= {
        key: {name.decode(): value for name, value in fields.items()}
        for key, fields in hashes.items()
    }
    return [told.get(key, {}) for key in keys]


def shown_fields(client: redis.Redis, keys: Sequence[str]) -> Sequence[Fields]:
    """What lists show of the records with these keys."""
    found = _each(client, keys, lambda pipe, key: pipe.getrange(key, 0, _BEGINNING_BYTES - 1))
    longer = [key for key, text in _texts(found).items() if shown_bytes(text) > len(text)]
    found |= _each(client, longer, lambda pipe, key: pipe.get(key))
    hashes = _each(client, _other(found), lambda pipe, key: pipe.hmget(key, SHOWN_FIELDS))
    told: dict[str, Fields] = {key: parted(text) for key, text in _texts(found).items()}
    told |= {key: dict(zip(SHOWN_FIELDS, values, strict=True)) for key, values in hashes.items()}
    return [told.get(key, {}) for key in keys]


def _each(
    client: redis.Redis, keys: Iterable[str], ask: Callable[[Any, str], object]
) -> dict[str, Any]:
    """The answer for each key; of the wrong kind of key it is an error."""
    asked = list(keys)
    with client.pipeline(transaction=False) as pipe:
        for key in asked:
            ask(pipe, key)
        answers = pipe.execute(raise_on_error=False)
    return dict(zip(asked, answers, strict=True))


def _texts(found: Mapping[str, Any]) -> dict[str, bytes]:
    return {key: text for key, text in found.items() if isinstance(text, bytes) and text}


def _other(found: Mapping[str, Any]) -> list[str]:
    """The keys whose answer is that they are no text."""
    return [key for key, answer in found.items() if _is_of_other_kind(answer)]


def _is_of_other_kind(answer: object) -> bool:
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        return True
    if isinstance(answer, Exception):
        raise answer
    return False
