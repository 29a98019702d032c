"""Tasks of other Celery apps on the same broker: ``context.celery``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import orjson

from motia_celery.context.calls import Calls
from motia_celery.errors import ConfigError, EventDataError
from motia_celery.model.emit import Moment
from motia_celery.model.event import derived_id
from motia_celery.model.run import Run
from motia_celery.model.task_call import DEFAULT_QUEUE, TaskCall


class Tasks(Protocol):
    """Sends tasks; returns once the broker has confirmed."""

    async def send(self, call: TaskCall, run: Run, body: bytes) -> None:
        """Sends the task; ``body`` is the JSON of its args, its kwargs, and what follows it."""


class Celery:
    """What a handler asks of Celery apps beside this one."""

    def __init__(self, run: Run, file: str, tasks: Tasks | None, calls: Calls) -> None:
        self._run = run
        self._file = file
        self._tasks = tasks
        self._calls = calls
        self._sent: Counter[str] = Counter()

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        queue: str = DEFAULT_QUEUE,
        exchange: str | None = None,
        routing_key: str | None = None,
        countdown: float | None = None,
        eta: Moment | None = None,
        expires: Moment | None = None,
        priority: int | None = None,
        task_id: str | None = None,
    ) -> Any:
        """Sends a task to another Celery app on this RabbitMQ, and gives its id.

        Once awaited, it is in the queue. Without ``task_id`` the id is derived from the run, so
        that a run which is repeated sends the same id again. ``eta`` and ``expires`` are as in
        `emit`: a datetime, ISO text, or epoch milliseconds; ``expires`` may be seconds too.

        Raises:
            ConfigError: something given can not be used.
            EventDataError: the arguments have no JSON form.
            EmitError: no queue took it, or the broker did not confirm in time.
            SettingsError: the broker is not RabbitMQ.
        """
        options = {
            "args": args,
            "kwargs": kwargs,
            "queue": queue,
            "exchange": exchange,
            "routing_key": routing_key,
            "countdown": countdown,
            "eta": eta,
            "expires": expires,
            "priority": priority,
            "task_id": task_id,
        }
        return self._calls.start(self.send(name, options))

    async def send(self, name: Any, options: Mapping[str, Any]) -> str:
        """:meth:`send_task` with its options in a mapping."""
        try:
            call = TaskCall.read(name, options, time.time())
        except ValueError as error:
            raise ConfigError(f"{error}.", self._file, "Correct the send_task.") from None
        if self._tasks is None:
            raise ConfigError("this context sends no tasks.", self._file)
        body = _body(call)
        identity = call.id or self._id(call.name, body)
        await self._tasks.send(replace(call, id=identity), self._run, body)
        return identity

    def _id(self, name: str, body: bytes) -> str:
        first = derived_id("task", self._run.id, name, body.decode())
        self._sent[first] += 1
        return first if self._sent[first] == 1 else derived_id(first, str(self._sent[first]))


def _body(call: TaskCall) -> bytes:
    following = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    try:
        return orjson.dumps(
            [list(call.args), dict(call.kwargs), following], option=orjson.OPT_NON_STR_KEYS
        )
    except TypeError as error:
        raise EventDataError(
            f"the arguments can not be sent as JSON ({error}).",
            f"send_task {call.name!r}",
            "Send dicts, lists, strings, numbers, booleans and None; dates as ISO strings.",
        ) from error
