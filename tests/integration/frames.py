"""A parent for any host: its end of the socket, spoken to in plain frames.

It shares no code with the package, so that both can not be wrong in the same way.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: How long one message may take to come, on a busy machine.
PATIENCE_SECONDS = 30.0

RUN = {
    "step": "behaviour",
    "run_id": "run-1",
    "trace_id": "a" * 32,
    "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    "attempt": 2,
    "max_attempts": 4,
    "flows": ["f"],
    "topic": "x",
    "trigger": "event",
}

Message = dict[str, Any]


class Parent:
    """A started host."""

    def __init__(self, arguments: list[str], root: Path, suffix: str, output: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs, output.open("wb") as written:
            self.process = subprocess.Popen(
                arguments,
                cwd=root,
                env={**os.environ, "MOTIA_HOST_FD": str(theirs.fileno())},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=written,
            )
        self.socket = ours
        self.socket.settimeout(PATIENCE_SECONDS)
        self.output = output
        self._root = root
        self._suffix = suffix
        self._buffer = b""
        self._last_id = 0

    def file(self, name: str) -> str:
        """The absolute path of a Step file, or of the stream file ``chat`` or ``hooked``."""
        is_stream = name in ("chat", "hooked")
        suffix = self._suffix.replace("step", "stream") if is_stream else self._suffix
        return str(self._root / "steps" / (name + suffix))

    def send(self, type_: str, **fields: Any) -> None:
        body = json.dumps({"type": type_, **fields}).encode()
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def greet(self, **fields: Any) -> Message:
        """Says hello, and gives the host's."""
        self.send("hello", **{"protocol": 1, "limit_bytes": 1 << 20, **fields})
        return self.receive()

    def receive(self) -> Message:
        """The next message; ``progress``, of which there may be any number, is passed over."""
        while True:
            (length,) = struct.unpack(">I", self._exactly(4))
            message = json.loads(self._exactly(length))
            assert isinstance(message, dict)
            if message["type"] != "progress":
                return message

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self.socket.recv(1 << 16)
            assert data, "the host has closed its socket"
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def call(self, act: str, *, step: str = "behaviour", **data: Any) -> int:
        """Sends a call of the behaviour Step, and gives its id."""
        return self.call_step(step, {"act": act, **data})

    def call_step(self, step: str, value: Any, **run: Any) -> int:
        self._last_id += 1
        told = {**RUN, "step": step, **run}
        self.send("call", id=self._last_id, file=self.file(step), run=told, input=value)
        return self._last_id

    def access(self, **fields: Any) -> int:
        """Asks who may follow the chat, and gives the id."""
        self._last_id += 1
        self.send("access", id=self._last_id, file=self.file("chat"), **fields)
        return self._last_id

    def hook(self, hook: str, subscription: Any, auth: Any) -> int:
        """Calls a hook of the stream that has them, and gives the id."""
        self._last_id += 1
        told = {"subscription": subscription, "auth": auth}
        file, run = self.file("hooked"), {**RUN, "step": "hooked"}
        self.send("hook", id=self._last_id, file=file, hook=hook, run=run, input=told)
        return self._last_id

    def last(self, id_: int, answer: Callable[[Message], Message] | None = None) -> Message:
        """The ``result`` or ``error`` of a call; each ``request`` before it gets an answer."""
        while True:
            message = self.receive()
            if message["type"] == "request" and answer is not None:
                self.respond(message, **answer(message))
            elif message["type"] in ("result", "error"):
                assert message["id"] == id_, message
                return message

    def respond(self, request: Message, **fields: Any) -> None:
        self.send("response", id=request["id"], request=request["request"], **fields)

    def value(self, act: str, **data: Any) -> Any:
        """What the handler returned."""
        message = self.last(self.call(act, **data))
        assert message["type"] == "result", message
        return message["value"]

    def load(self, *names: str) -> dict[str, Message]:
        """What the host says of each file."""
        self._last_id += 1
        self.send("load", id=self._last_id, files=[self.file(name) for name in names])
        messages = [self.receive() for _ in names]
        assert {(m["type"], m["id"]) for m in messages} == {("loaded", self._last_id)}
        found = {message["file"]: message for message in messages}
        return {name: found[self.file(name)] for name in names}

    def ended(self) -> int:
        """The host's exit code, once it has ended by itself."""
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()
