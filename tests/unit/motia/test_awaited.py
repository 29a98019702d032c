"""Whether a call is awaited is seen where it stands."""

from __future__ import annotations

import sys
from typing import Any

from motia_celery.motia.awaited import is_awaited


def asks() -> bool:
    return is_awaited(sys._getframe(1))


async def held(value: Any) -> Any:
    return value


class Asks:
    """A value that tells how it was asked for."""

    def get(self, *given: Any, **more: Any) -> Any:
        found = is_awaited(sys._getframe(1))
        return held(True) if found else False


async def test_whether_a_call_is_awaited_is_seen_where_it_stands() -> None:
    one = Asks()
    assert await one.get() is True
    assert await one.get(1, *[2], key=3, **{}) is True
    assert [await one.get() for _ in range(2)] == [True, True]
    found = one.get()
    assert found is False
    assert {"a": one.get()} == {"a": False}
    assert one.get(await held(1)) is False
    assert asks() is False
    assert (await one.get(), one.get()) == (True, False)
