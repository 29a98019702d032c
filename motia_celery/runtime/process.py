"""The child process of a host: started with one end of a socket, spoken to in frames."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from motia_celery.errors import FrameError, HostDiedError
from motia_celery.runtime.frames import DEFAULT_LIMIT_BYTES, PROTOCOL, FrameReader, Message, encode
from motia_celery.runtime.pulse import Pulse
from motia_celery.runtime.remote import RemoteError

logger = logging.getLogger("motia_celery.runtime")

HOST_FD = "MOTIA_HOST_FD"

#: Frames of one turn of the loop are joined up to this size: few system calls, and the child is
#: at work on the first ones while the last are written.
_BATCH_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCommand:
    """How a host is started. It finds the number of its socket in ``MOTIA_HOST_FD``.

    ``environment`` is this process's where it is None.
    """

    arguments: Sequence[str]
    root: Path
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    environment: Mapping[str, str] | None = None

    def start(self, *, quiet: bool = False) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """The child and our end of its socket; ``quiet`` sends its stdout to stderr."""
        environment = os.environ if self.environment is None else self.environment
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(
                    self.arguments,
                    cwd=self.root,
                    env={**environment, HOST_FD: str(theirs.fileno())},
                    stdin=subprocess.DEVNULL,
                    stdout=_stderr() if quiet else None,
                    pass_fds=(theirs.fileno(),),
                )
            except BaseException:
                ours.close()
                raise
        return process, ours

    @property
    def hello(self) -> bytes:
        """The first frame that a host gets."""
        return encode({"type": "hello", "protocol": PROTOCOL, "limit_bytes": self.limit_bytes})


def _stderr() -> int:
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):  # a captured one, in tests
        return 2


class Answerer(Protocol):
    """Answers what a handler asks of its context while it runs."""

    async def request(self, method: str, arguments: Sequence[Any]) -> Any:
        """The value of a call on the context."""

    def log(self, level: str, message: str, data: Any) -> None:
        """Writes a line of the handler's logger."""

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Has ``tell`` called if the client leaves that the handler writes its response to."""


@dataclass(slots=True)
class _Call:
    future: asyncio.Future[Any]
    answerer: Answerer
    step: str
    #: What the handler asks for is done in the context of its run, not of whoever reads frames.
    ambient: contextvars.Context = field(default_factory=contextvars.copy_context)
    deadline: asyncio.TimerHandle | None = None


class Link(asyncio.Protocol):
    """A living child on one event loop, with many calls under way."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        command: HostCommand,
        cancel_grace_seconds: float,
        silence_seconds: float | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._limit = command.limit_bytes
        self._grace = cancel_grace_seconds
        self._reader = FrameReader(command.limit_bytes)
        self._transport: asyncio.WriteTransport | None = None
        self._out: list[bytes] = []
        self._waiting = 0
        self._is_flushing = False
        self._calls: dict[int, _Call] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._last_id = 0
        self._greeted = asyncio.Event()
        self._ended = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._is_leaving = False
        self._pulse = self._make_pulse(silence_seconds) if silence_seconds else None
        threading.Thread(target=self._watch, name="host-watch", daemon=True).start()

    @classmethod
    async def open(
        cls,
        command: HostCommand,
        cancel_grace_seconds: float,
        silence_seconds: float | None = None,
    ) -> Link:
        """Starts a child; calls wait until it has said hello.

        With ``silence_seconds`` a warning names the Steps that keep the child from listening.
        """
        process, ours = command.start()
        link = cls(process, command, cancel_grace_seconds, silence_seconds)
        try:
            await link._loop.create_unix_connection(lambda: link, sock=ours)
        except BaseException:
            link.kill()
            ours.close()
            raise
        link._write(command.hello)
        return link

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that it belongs to."""
        return self._loop

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it takes calls."""
        return not self._ended.is_set()

    async def greeted(self) -> bool:
        """Whether it takes calls, once it has said hello or has ended."""
        await self._greeted.wait()
        return self.is_alive

    def load(self, files: Sequence[str]) -> None:
        """Has the child load files now, which it otherwise does at their first call."""
        self._write(encode({"type": "load", "id": 0, "files": files}))

    async def call(self, fields: Mapping[str, Any], answerer: Answerer) -> Any:
        """Calls a handler, and gives what it returned.

        Raises:
            RemoteError: the handler threw.
            HostDiedError: the child ended meanwhile.
            FrameError: the input can not cross.
        """
        if not self._greeted.is_set():
            await self._greeted.wait()
        if not self.is_alive:
            raise self.death()
        id_ = self._last_id = self._last_id + 1
        frame = encode({"type": "call", "id": id_, **fields}, self._limit)
        step = fields["run"]["step"] if "run" in fields else ""
        call = self._calls[id_] = _Call(self._loop.create_future(), answerer, step)
        self._quiet.clear()
        self._write(frame)
        answerer.when_gone(partial(self._tell_of_leaving, id_))
        if self._pulse is not None:
            self._pulse.watch()
        try:
            return await call.future
        except asyncio.CancelledError:
            self._cancel(id_, call)
            raise

    def _tell_of_leaving(self, id_: int) -> None:
        if id_ in self._calls and self.is_alive:
            self._write(encode({"type": "gone", "id": id_}))

    def _cancel(self, id_: int, call: _Call) -> None:
        """Tells the child; one that does not answer is busy in a loop, and has to go."""
        if id_ in self._calls and self.is_alive:
            self._write(encode({"type": "cancel", "id": id_}))
            call.deadline = self._loop.call_later(self._grace, self._kill_stuck, id_)

    def _kill_stuck(self, id_: int) -> None:
        if id_ in self._calls:
            logger.error(
                "A handler was cut and does not give way; its host is started anew.",
                extra={"action": "host.stuck", "pid": self.pid},
            )
            self.kill()

    def _make_pulse(self, silence_seconds: float) -> Pulse:
        return Pulse(
            silence_seconds,
            has_work=lambda: bool(self._calls),
            ask=lambda: self._write(encode({"type": "ping", "id": 1})),
            tell=self._tell_of_silence,
        )

    def _tell_of_silence(self, seconds: float) -> None:
        steps = ", ".join(dict.fromkeys(call.step for call in self._calls.values()))
        logger.warning(
            "The host has not answered for %.0f s while it runs %s. Code that computes for long "
            "holds up its neighbours: set infrastructure.handler.isolated, or await in between.",
            seconds,
            steps,
            extra={"action": "host.silent", "pid": self.pid},
        )

    async def ended(self) -> None:
        """Returns once the child is gone."""
        await self._ended.wait()

    async def end(self) -> None:
        """Ends the child, and returns once it is gone."""
        self.kill()
        await self.ended()

    async def leave(self) -> None:
        """Lets the child end once its calls are settled, and returns when it is gone.

        It may flush and clean up for the time that a cut handler has, too.
        """
        await self._quiet.wait()
        self._is_leaving = True
        if self._transport is not None:
            self._flush()
            self._transport.close()
        stubborn = self._loop.call_later(self._grace, self.kill)
        await self.ended()
        stubborn.cancel()

    def kill(self) -> None:
        """Ends the child at once."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ready."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes from the child."""
        if self._pulse is not None:
            self._pulse.hear()
        try:
            for message in self._reader.feed(data):
                self._receive(message)
        except FrameError as error:
            logger.error("%s The host is started anew.", error, extra={"action": "host.frame"})
            self.kill()

    def connection_lost(self, exc: Exception | None) -> None:
        """The child is gone, or about to go: its thread tells how."""
        if not self._is_leaving:
            self.kill()

    def _watch(self) -> None:
        self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        self._greeted.set()
        if self._pulse is not None:
            self._pulse.stop()
        if self._transport is not None:
            self._transport.close()
        death = self.death()
        for call in self._calls.values():
            if call.deadline is not None:
                call.deadline.cancel()
            if not call.future.done():
                call.future.set_exception(death)
        self._calls.clear()
        self._quiet.set()

    def death(self) -> HostDiedError:
        """How the child ended, as an error."""
        code = self._process.poll()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return HostDiedError(
            f"the process that ran the handler ended ({how}).",
            "",
            "The run is tried again where its Step allows; look for memory or a native crash.",
        )

    def _write(self, frame: bytes) -> None:
        """Sends the first frame of a turn of the loop at once, and what follows in batches."""
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._end_turn)
            self._out.append(frame)
            self._flush()
            return
        self._out.append(frame)
        self._waiting += len(frame)
        if self._waiting > _BATCH_BYTES:
            self._flush()

    def _end_turn(self) -> None:
        self._is_flushing = False
        self._flush()

    def _flush(self) -> None:
        out, self._out, self._waiting = self._out, [], 0
        if out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))

    def _receive(self, message: Message) -> None:
        kind = message["type"]
        if kind == "hello":
            self._greet(message)
            return
        call = self._calls.get(message.get("id", 0))
        if call is None:
            return
        if kind == "request":
            self._answer(message, call)
        elif kind == "log":
            _log(message, call)
        elif kind in ("result", "error"):
            self._settle(message, call)

    def _greet(self, message: Message) -> None:
        if message.get("protocol") != PROTOCOL:
            logger.error("The host speaks another protocol: %s", message.get("protocol"))
            self.kill()
        else:
            self._greeted.set()

    def _settle(self, message: Message, call: _Call) -> None:
        del self._calls[message["id"]]
        if not self._calls:
            self._quiet.set()
        if call.deadline is not None:
            call.deadline.cancel()
        if call.future.done():
            return
        if message["type"] == "result":
            call.future.set_result(message.get("value"))
        else:
            call.future.set_exception(RemoteError.read(message.get("error") or {}))

    def _answer(self, message: Message, call: _Call) -> None:
        task = self._loop.create_task(self._respond(message, call), context=call.ambient.copy())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _respond(self, message: Message, call: _Call) -> None:
        response: Message = {
            "type": "response",
            "id": message["id"],
            "request": message.get("request"),
        }
        try:
            method, arguments = str(message.get("method")), message.get("args") or []
            value = await call.answerer.request(method, arguments)
            frame = encode({**response, "value": value}, self._limit)
        except Exception as error:
            fault = {"name": type(error).__name__, "message": str(error)}
            frame = encode({**response, "error": fault})
        self._write(frame)


def _log(message: Message, call: _Call) -> None:
    level, text = str(message.get("level")), str(message.get("message"))
    call.answerer.log(level, text, message.get("data"))
