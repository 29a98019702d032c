"""What a transaction changes, beside the events that it emits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from motia_celery.model.told import Told


@dataclass(frozen=True, slots=True)
class StateChange:
    """A value of state to be; None takes the key out. ``told`` is what triggers hear of it."""

    group: str
    key: str
    value: Any
    ttl_seconds: float | None = None
    told: Told | None = None
