"""The kinds of triggers in a list of them, as in Motia 1.0; it imports nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Each kind by the words for it.
KINDS = {
    "http": "http",
    "api": "http",
    "queue": "queue",
    "event": "queue",
    "cron": "cron",
    "state": "state",
    "stream": "stream",
}


def lists_triggers(config: Any) -> bool:
    """Whether the config, a dict or a typed object, has a list of triggers and no type."""
    if isinstance(config, Mapping):
        return "triggers" in config and config.get("type") is None
    return hasattr(config, "triggers_")
