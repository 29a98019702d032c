"""Whether a call is awaited where it stands: ``await f()``, and not ``f()``."""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType, FrameType

_AWAITS = dis.opmap["GET_AWAITABLE"]
_CACHE = dis.opmap["CACHE"]


def is_awaited(caller: FrameType) -> bool:
    """Whether what the frame calls at the moment is awaited at once."""
    return _awaits_after(caller.f_code, caller.f_lasti)


@lru_cache(maxsize=4096)
def _awaits_after(code: CodeType, place: int) -> bool:
    steps, at = code.co_code, place + 2
    while at < len(steps) and steps[at] == _CACHE:
        at += 2
    return at < len(steps) and steps[at] == _AWAITS
