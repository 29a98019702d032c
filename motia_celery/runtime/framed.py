"""What a context works with in a host's process: its calls go to the app's process in frames."""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from motia_celery import errors
from motia_celery.errors import FrameError
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.run import Run
from motia_celery.model.task_call import TaskCall
from motia_celery.model.transaction import StateChange
from motia_celery.observe.logs import (
    StepLogger,
    as_fields,
    level_name,
    line_data,
    line_text,
)
from motia_celery.runtime.frames import Message
from motia_celery.stores.names import state_place, stream_place
from motia_celery.stores.values import encode

#: Sends a message from any thread, or raises :class:`FrameError`.
Send = Callable[[Message], None]

Operations = Iterable[Mapping[str, Any]]

_LEVELS = {logging.DEBUG: "debug", logging.WARNING: "warn", logging.ERROR: "error"}


class Asker:
    """The requests of one call: each is numbered, sent, and waits for its answer."""

    def __init__(self, call_id: int, send: Send) -> None:
        self.call_id = call_id
        self._send = send
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.is_over = False
        #: Whether the client has left that the handler writes its response to.
        self.is_gone = False

    async def ask(self, method: str, *arguments: Any) -> Any:
        """The answer of the app's process; what went wrong there is raised here."""
        if self.is_over:
            raise RuntimeError(f"{method} was called after its run had ended")
        self._last += 1
        number = self._last
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        request = {"request": number, "method": method, "args": list(arguments)}
        try:
            self._send({"type": "request", "id": self.call_id, **request})
            return await answer
        finally:
            del self._waiting[number]

    def answer(self, message: Message) -> None:
        """Takes a ``response``."""
        future = self._waiting.get(message.get("request", 0))
        if future is None or future.done():
            return
        if error := message.get("error"):
            future.set_exception(raisable(error))
        else:
            future.set_result(message.get("value"))

    def log(self, level: str, message: str, data: Any) -> None:
        """Sends a line of the logger; what has no JSON form is shown as text."""
        line = {"type": "log", "id": self.call_id, "level": level, "message": message}
        try:
            self._send({**line, "data": data})
        except FrameError:
            self._send({**line, "data": _shown(data)})

    def close(self) -> None:
        """Refuses what comes after the end of the call."""
        self.is_over = True


def raisable(error: Mapping[str, Any]) -> Exception:
    """The error of an answer, of the class that handlers know where there is one."""
    name, message = str(error.get("name")), str(error.get("message"))
    kind = getattr(errors, name, None) or getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(message)
        except TypeError:  # it takes more than a message
            pass
    made: type[Exception] = type(name, (Exception,), {})
    return made(message)


def _shown(data: Any) -> Any:
    try:
        return orjson.loads(orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS))
    except (TypeError, ValueError, RecursionError):
        return {"data": repr(data)[:2_000]}


class FramedEmitter:
    """Emits through the app's process, which knows the Step's topics and the trace."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def emit(
        self, event: Event, options: EmitOptions, *, timeout_seconds: float | None = None
    ) -> bool:
        """Returns once the broker has confirmed; False if it was dropped as a duplicate."""
        return bool(await self._asker.ask("emit", _told(event, options)))

    async def commit(
        self,
        changes: Sequence[StateChange],
        events: Sequence[tuple[Event, EmitOptions]],
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        """Has all of it done, or nothing."""
        parts = [_part(change) for change in changes]
        await self._asker.ask("transaction", [*parts, *(["emit", _told(*one)] for one in events)])


class FramedTasks:
    """Sends tasks through the app's process."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def send(self, call: TaskCall, run: Run, body: bytes) -> None:
        """Returns once the broker has confirmed."""
        args, kwargs, _ = orjson.loads(body)
        told = {
            "args": args,
            "kwargs": kwargs,
            "task_id": call.id,
            "queue": call.queue,
            "exchange": call.exchange,
            "routing_key": call.routing_key,
            "eta": call.eta,
            "expires": call.expires,
            "priority": call.priority,
        }
        await self._asker.ask("celery.sendTask", call.name, told)


def _part(change: StateChange) -> list[Any]:
    if change.value is None:
        return ["state.delete", change.group, change.key]
    options = {"ttlSeconds": change.ttl_seconds} if change.ttl_seconds is not None else {}
    value = _plain(change.value, state_place(change.group, change.key))
    return ["state.set", change.group, change.key, value, options]


def _told(event: Event, options: EmitOptions) -> dict[str, Any]:
    """An emit as it is written to the context."""
    told = {
        "messageGroupId": event.group,
        "delay": options.delay_seconds or None,
        "priority": options.priority,
        "id": options.key,
        "outbox": options.outbox or None,
    }
    said = {name: value for name, value in told.items() if value is not None}
    return {"topic": event.topic, "data": orjson.loads(event.body), **said}


class FramedState:
    """State in the app's process. Values are checked here, where their types are still known."""

    def __init__(self, asker: Asker) -> None:
        self._ask = asker.ask

    async def get(self, group: str, key: str) -> Any:
        """The value, or None."""
        return await self._ask("state.get", group, key)

    async def set(
        self, group: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Any:
        """Keeps ``value``, and gives it back."""
        plain = _plain(value, state_place(group, key))
        await self._ask("state.set", group, key, plain, *_life(ttl_seconds))
        return value

    async def update(self, group: str, key: str, operations: Operations) -> Any:
        """Changes the value in one atomic step."""
        plain = _plain(list(operations), state_place(group, key))
        return await self._ask("state.update", group, key, plain)

    async def compare_and_set(
        self, group: str, key: str, expected: Any, value: Any, *, ttl_seconds: float | None = None
    ) -> bool:
        """Keeps the value if ``expected`` is there."""
        values = (_plain(given, state_place(group, key)) for given in (expected, value))
        life = _life(ttl_seconds)
        return bool(await self._ask("state.compareAndSet", group, key, *values, *life))

    async def delete(self, group: str, key: str) -> Any:
        """Removes the key, and gives what it held, or None."""
        return await self._ask("state.delete", group, key)

    async def get_group(self, group: str) -> Any:
        """The values of the group."""
        return await self._ask("state.getGroup", group)

    async def groups(self) -> Any:
        """The names of the groups that hold something."""
        return await self._ask("state.listGroups")

    async def clear(self, group: str) -> None:
        """Removes the group."""
        await self._ask("state.clear", group)


class FramedStreams:
    """Streams in the app's process."""

    def __init__(self, asker: Asker) -> None:
        self._ask = asker.ask

    async def get(self, stream: str, group: str, id: str) -> Any:
        """The item, or None."""
        return await self._ask("streams.get", stream, group, id)

    async def set(self, stream: str, group: str, id: str, data: Any) -> Any:
        """Creates or replaces the item, and gives it."""
        plain = _plain(data, stream_place(stream, group, id))
        return await self._ask("streams.set", stream, group, id, plain)

    async def update(self, stream: str, group: str, id: str, operations: Operations) -> Any:
        """Changes the item in one atomic step."""
        plain = _plain(list(operations), stream_place(stream, group, id))
        return await self._ask("streams.update", stream, group, id, plain)

    async def delete(self, stream: str, group: str, id: str) -> Any:
        """Removes the item, and gives it, or None."""
        return await self._ask("streams.delete", stream, group, id)

    async def get_group(self, stream: str, group: str) -> Any:
        """The items of the group, oldest first."""
        return await self._ask("streams.getGroup", stream, group)

    async def groups(self, stream: str) -> Any:
        """The names of the groups that hold items."""
        return await self._ask("streams.listGroups", stream)

    async def send(self, stream: str, group: str, id: str | None, event: Any) -> None:
        """Tells subscribers an event that is not stored."""
        channel = {"groupId": group} if id is None else {"groupId": group, "id": id}
        plain = _plain(event, stream_place(stream, group, id))
        await self._ask("streams.send", stream, channel, plain)


class FramedReply:
    """Carries a response that the handler writes through the app's process."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        return self._asker.is_gone

    async def start(self, status: int, headers: Mapping[str, Any]) -> None:
        """Sends the status and the headers."""
        await self._asker.ask("response.start", status, dict(headers))

    async def write(self, chunk: bytes) -> None:
        """Sends a part of the body."""
        await self._asker.ask("response.write", chunk)

    async def close(self) -> None:
        """Ends the response."""
        await self._asker.ask("response.close")

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Never told: this is the handler's own end."""


def _plain(value: Any, where: str) -> Any:
    return orjson.loads(encode(value, where))


def _life(ttl_seconds: float | None) -> tuple[dict[str, float], ...]:
    return () if ttl_seconds is None else ({"ttlSeconds": ttl_seconds},)


class FramedLogger(StepLogger):
    """``context.logger`` whose lines the app's process writes."""

    def __init__(self, asker: Asker) -> None:
        super().__init__({})
        self._asker = asker

    def _write(self, level: int, message: object, data: Any) -> None:
        self._asker.log(_LEVELS.get(level, "info"), str(message), as_fields(data))

    def capture(self, record: logging.LogRecord) -> bool:
        """Sends a line that was logged in the call; after its end it is written here."""
        if self._asker.is_over:
            return True
        self._asker.log(level_name(record), line_text(record), line_data(record))
        return False
