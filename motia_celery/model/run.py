"""A run: one Step execution, as a value that goes into a runtime, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from motia_celery.model.trace import Trace

TriggerType = Literal["http", "event", "cron", "state", "stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything a runtime needs to call one handler once.

    ``input`` is the request dict for http, the event's data for event, None for cron, and what
    changed for state and stream.
    ``attempt`` counts from 1. ``parent_id`` is the run that emitted its event, ``due_ms`` the epoch
    milliseconds at which its message was to be delivered. ``trigger_index`` is which of the Step's
    triggers it was, where that does not follow from ``trigger`` and ``topic``.
    ``depth`` is how many changes of state and streams led to it, one after the other.
    """

    id: str
    step: str
    trigger: TriggerType
    input: Any
    trace: Trace
    flows: tuple[str, ...] = ()
    topic: str | None = None
    group: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    event_id: str | None = None
    due_ms: int | None = None
    trigger_index: int | None = None
    depth: int = 0
    attempt: int = 1
    max_attempts: int = 1


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run failed, in JSON-ready words; ``where`` is the user's ``file:line``.

    ``names`` are those by which a retry policy may name the error: its class and the classes that
    it inherits from, or its name and code in JavaScript. One that is ``final`` is never retried.
    """

    type: str
    message: str
    where: str = ""
    traceback: str = ""
    names: tuple[str, ...] = ()
    final: bool = False

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True, slots=True)
class Success:
    """The handler returned ``result``."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The handler raised, or ran past its timeout."""

    error: RunError


Outcome = Success | Failure
