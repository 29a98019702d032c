"""HTTP as bytes on a socket, for what no well-behaved client sends."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: Nothing here is expected to take long; it only keeps a fault from hanging the suite.
PATIENCE_SECONDS = 40


@dataclass(frozen=True)
class Answer:
    """One answer; ``headers`` have lower-cased names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@contextlib.contextmanager
def connected(port: int, **options: Any) -> Iterator[socket.socket]:
    """A connection; ``receive_bytes`` makes its buffer small."""
    with socket.socket() as client:
        if "receive_bytes" in options:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receive_bytes"])
        client.settimeout(PATIENCE_SECONDS)
        client.connect(("127.0.0.1", port))
        yield client


def exchange(port: int, *parts: bytes) -> list[Answer]:
    """What the server answers before it closes; it may close while this still sends."""
    with connected(port) as client:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                client.sendall(part)
        return answers(read_all(client))


def read_all(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = bytearray()
    while piece := client.recv(1 << 16):
        found += piece
    return bytes(found)


def answers(raw: bytes) -> list[Answer]:
    """The answers in it, one after another; interim ones are left out."""
    found = []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        status = int(first.split()[1])
        length = int(headers.get("content-length", 0))
        assert "chunked" not in headers.get("transfer-encoding", "")
        if status >= 200:
            found.append(Answer(status, headers, rest[:length]))
        raw = rest[length:]
    return found


def request(
    target: str = "/echo",
    body: bytes | None = None,
    method: str = "POST",
    close: bool = True,
    **headers: str,
) -> bytes:
    """The bytes of a request; ``_`` in a header's name stands for ``-``."""
    given = {"host": "localhost"} | {n.replace("_", "-"): v for n, v in headers.items()}
    if body is not None and not {"content-length", "transfer-encoding"} & given.keys():
        given["content-length"] = str(len(body))
    if close:
        given["connection"] = "close"
    lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in given.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (body or b"")


def chunked(*pieces: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (*pieces, b""))
