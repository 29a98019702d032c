"""Serving: a host's answers to the frames of the process that started it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, cast

from motia_celery.context import Context, Services
from motia_celery.context.request import Request
from motia_celery.context.state import Wrap
from motia_celery.errors import FrameError
from motia_celery.model.kinds import lists_triggers
from motia_celery.model.run import Run
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace
from motia_celery.observe.logs import Capturing
from motia_celery.runtime.crossing import read_run
from motia_celery.runtime.definitions import describe
from motia_celery.runtime.faults import run_error
from motia_celery.runtime.framed import (
    Asker,
    FramedEmitter,
    FramedLogger,
    FramedReply,
    FramedState,
    FramedStreams,
    FramedTasks,
)
from motia_celery.runtime.frames import PROTOCOL, FrameReader, Message, encode
from motia_celery.runtime.handler import Handlers
from motia_celery.runtime.host import completed
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.source import Definition, SourceFile

_Work = Callable[[Message, Asker], Coroutine[Any, Any, Any]]


class Server(asyncio.Protocol):
    """Answers the messages of the parent, on one event loop."""

    def __init__(
        self, root: Path, state_wrap: Wrap, stream_names: Iterable[str], ended: asyncio.Event
    ) -> None:
        self._root = root
        self._wrap = state_wrap
        self._stream_names = frozenset(stream_names)
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._host = PythonHost(root)
        self._files: dict[str, Definition] = {}
        self._calls: dict[int, tuple[Asker, asyncio.Task[Message]]] = {}
        self._reader = FrameReader()
        self._transport: asyncio.WriteTransport | None = None
        self._handlers = {
            "hello": self._greet,
            "load": self._load_all,
            "call": lambda message: self._begin(message, self._value),
            "access": lambda message: self._begin(message, self._access),
            "hook": lambda message: self._begin(message, self._hook),
            "response": self._respond,
            "gone": self._leave,
            "cancel": self._cancel,
            "ping": self._pong,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Says hello."""
        self._transport = cast(asyncio.WriteTransport, transport)
        version = ".".join(map(str, sys.version_info[:3]))
        hello = {"type": "hello", "protocol": PROTOCOL, "language": "python", "version": version}
        self.send(hello)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the program."""
        self._ended.set()

    def data_received(self, data: bytes) -> None:
        """Messages of the parent; one of an unknown type is ignored."""
        try:
            for message in self._reader.feed(data):
                if handler := self._handlers.get(message["type"]):
                    handler(message)
        except FrameError as error:
            print(f"The parent sent what is no frame: {error}", file=sys.stderr)
            self._ended.set()  # nothing that follows can be understood

    def send(self, message: Message) -> None:
        """Sends a message, from any thread.

        Raises:
            FrameError: it can not cross.
        """
        frame = encode(message, self._reader.limit_bytes)
        if threading.get_ident() == self._thread:
            self._write(frame)
        else:
            self._loop.call_soon_threadsafe(self._write, frame)

    def _write(self, frame: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    def _greet(self, message: Message) -> None:
        self._reader.limit_bytes = message.get("limit_bytes") or self._reader.limit_bytes

    def _pong(self, message: Message) -> None:
        self.send({"type": "pong", "id": message.get("id")})

    def _load_all(self, message: Message) -> None:
        for file in message["files"]:
            # Each by itself, so that a ping between two of them is answered.
            self._loop.call_soon(self._load, message["id"], file)

    def _load(self, id_: int, file: str) -> None:
        answer: Message = {"type": "loaded", "id": id_, "file": file}
        self.send({"type": "progress"})
        try:
            self.send({**answer, "definition": describe(self._definition(file))})
        except (Exception, SystemExit) as error:
            self.send({**answer, "error": self._described(error)})

    def _definition(self, file: str) -> Definition:
        if file not in self._files:
            self._files[file] = self._host.load(
                SourceFile(
                    path=Path(file), file=self._relative(file), kind="step", language="python"
                )
            )
        return self._files[file]

    def _begin(self, message: Message, work: _Work) -> None:
        asker = Asker(message["id"], self.send)
        task = self._loop.create_task(self._last(message, asker, work))
        self._calls[asker.call_id] = asker, task
        task.add_done_callback(partial(self._settle, asker))

    async def _last(self, message: Message, asker: Asker, work: _Work) -> Message:
        """The last message of a call."""
        id_ = asker.call_id
        try:
            return {"type": "result", "id": id_, "value": await work(message, asker)}
        except (Exception, SystemExit) as error:
            return {"type": "error", "id": id_, "error": self._described(error)}

    async def _access(self, message: Message, asker: Asker) -> bool:
        file = message["file"]
        definition = self._definition(file)
        if not callable(definition.can_access):
            raise TypeError("the file has no canAccess any more")
        self._host.register_access(file, definition)
        return await self._host.can_access(file, message["subscription"], message.get("auth"))

    async def _hook(self, message: Message, asker: Asker) -> bool:
        run = read_run(message)
        self._host.register_access(run.step, self._definition(message["file"]))
        context = self._context(run, message["file"], asker)
        call = self._host.call_hook(message["hook"], run, context)
        return bool(await completed(call, context))

    async def _value(self, message: Message, asker: Asker) -> Any:
        run = read_run(message)
        definition = self._definition(message["file"])
        if not callable(definition.handler):
            raise TypeError("the file has no handler any more")
        handlers = Handlers(definition)
        if isinstance(run.input, Request):
            run.input.reply = FramedReply(asker)
        context = self._context(run, message["file"], asker)
        context.knows(partial(_step, definition))
        with _placed(run.trace), Capturing(context):
            value = await completed(self._host.handle(handlers, run, context), context)
        return value if run.trigger == "http" else _crossing(value)

    def _context(self, run: Run, file: str, asker: Asker) -> Context:
        services = Services(
            emitter=FramedEmitter(asker),
            state=FramedState(asker),
            state_wrap=self._wrap,
            streams=FramedStreams(asker),
            tasks=FramedTasks(asker),
            stream_names=self._stream_names,
        )
        # Which topics it may emit is decided where the plan is.
        step = Step(
            name=run.step,
            file=self._relative(file),
            language="python",
            lists_triggers=lists_triggers(self._definition(file).config),
        )
        context = Context(run, step, services)
        context.logger = FramedLogger(asker)
        return context

    def _relative(self, file: str) -> str:
        return Path(file).relative_to(self._root).as_posix()

    def _settle(self, asker: Asker, task: asyncio.Task[Message]) -> None:
        del self._calls[asker.call_id]
        asker.close()
        _flush()
        id_ = asker.call_id
        if task.cancelled():
            error = {"name": "Cancelled", "message": "the run was cancelled", "stack": ""}
            self.send({"type": "error", "id": id_, "error": error})
        elif fault := task.exception():
            self.send({"type": "error", "id": id_, "error": self._described(fault)})
        else:
            self._send_last(task.result())

    def _send_last(self, message: Message) -> None:
        try:
            self.send(message)
        except FrameError as error:
            self.send({"type": "error", "id": message["id"], "error": self._described(error)})

    def _respond(self, message: Message) -> None:
        if found := self._calls.get(message["id"]):
            found[0].answer(message)

    def _leave(self, message: Message) -> None:
        if found := self._calls.get(message["id"]):
            found[0].is_gone = True

    def _cancel(self, message: Message) -> None:
        if found := self._calls.get(message["id"]):
            found[1].cancel()

    def _described(self, error: BaseException) -> Mapping[str, Any]:
        told = run_error(error, self._root)
        message, stack = _text(told.message), _text(told.traceback)
        fields: dict[str, Any] = {"name": told.type, "message": message, "stack": stack}
        file, _, line = told.where.rpartition(":")
        if file:
            fields |= {"file": file, "line": int(line)}
        code = getattr(error, "code", None)
        return {**fields, "code": code} if isinstance(code, str) else fields


def _step(definition: Definition) -> Step | None:
    from motia_celery.model.reading import read_step  # it takes long to import

    return read_step(definition.config, file="", path="")[0]


def _placed(place: Trace) -> AbstractContextManager[None]:
    """Makes the run's place current for OpenTelemetry, where the Step uses it."""
    if "opentelemetry.context" not in sys.modules:  # it takes long to import
        return nullcontext()
    from motia_celery.observe.spans import standing

    return standing(place)


def _crossing(value: Any) -> Any:
    """What an event or cron handler returned, or nothing: no one asked for it."""
    try:
        encode({"value": value}, sys.maxsize)
    except FrameError:
        return None
    return value


def _text(text: str) -> str:
    """The text without what JSON can not hold, such as half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def _flush() -> None:
    """Writes out what the handler printed; the process may be ended any time from now on."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a handler may have closed or replaced them
            stream.flush()
