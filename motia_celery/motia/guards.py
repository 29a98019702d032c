"""Telling the triggers of a list apart. Each may be a dict or a typed object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motia_celery.model.kinds import KINDS


def is_api_trigger(trigger: Any) -> bool:
    """Whether requests start it."""
    return _kind(trigger) == "http"


def is_queue_trigger(trigger: Any) -> bool:
    """Whether events start it."""
    return _kind(trigger) == "queue"


def is_cron_trigger(trigger: Any) -> bool:
    """Whether the clock starts it."""
    return _kind(trigger) == "cron"


def is_state_trigger(trigger: Any) -> bool:
    """Whether changes of state start it."""
    return _kind(trigger) == "state"


def is_stream_trigger(trigger: Any) -> bool:
    """Whether changes of a stream start it."""
    return _kind(trigger) == "stream"


def get_api_triggers(step: Any) -> list[Any]:
    """The http triggers of a Step or its config."""
    return [trigger for trigger in _triggers(step) if is_api_trigger(trigger)]


def get_queue_triggers(step: Any) -> list[Any]:
    """The queue triggers of a Step or its config."""
    return [trigger for trigger in _triggers(step) if is_queue_trigger(trigger)]


def get_cron_triggers(step: Any) -> list[Any]:
    """The cron triggers of a Step or its config."""
    return [trigger for trigger in _triggers(step) if is_cron_trigger(trigger)]


def get_state_triggers(step: Any) -> list[Any]:
    """The state triggers of a Step or its config."""
    return [trigger for trigger in _triggers(step) if is_state_trigger(trigger)]


def get_stream_triggers(step: Any) -> list[Any]:
    """The stream triggers of a Step or its config."""
    return [trigger for trigger in _triggers(step) if is_stream_trigger(trigger)]


def is_api_step(step: Any) -> bool:
    """Whether requests start the Step."""
    return bool(get_api_triggers(step))


def is_queue_step(step: Any) -> bool:
    """Whether events start the Step."""
    return bool(get_queue_triggers(step))


def is_cron_step(step: Any) -> bool:
    """Whether the clock starts the Step."""
    return bool(get_cron_triggers(step))


def is_state_step(step: Any) -> bool:
    """Whether changes of state start the Step."""
    return bool(get_state_triggers(step))


def is_stream_step(step: Any) -> bool:
    """Whether changes of a stream start the Step."""
    return bool(get_stream_triggers(step))


def _kind(trigger: Any) -> str | None:
    return KINDS.get(str(_member(trigger, "type")))


def _triggers(step: Any) -> list[Any]:
    config = _member(step, "config") or step
    return [*(_member(config, "triggers_") or _member(config, "triggers") or ())]


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
