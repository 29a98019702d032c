"""How the measured processes tell what they did: the same few stores in every system.

It is imported by tasks of all systems, in their own environments, so it needs nothing. Each process
has a slot of the file that ``BENCH_TICKS`` names, with its count and the times of its first and
last tick; lines of ``BENCH_LINES`` tell of single things.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time

SLOT = 32
SLOTS = 128
FORMAT = "=qdd"

#: Between two events where latency is measured.
PAUSE_SECONDS = 0.01

#: About 226 bytes as JSON.
PAYLOAD = {
    "id": "x" * 20,
    "customer": {"name": "Grace", "tags": ["new", "newsletter"]},
    "items": list(range(10)),
    "text": "y" * 80,
}

_lock = threading.Lock()
_pack = struct.Struct(FORMAT).pack_into
_clock = time.time
_map: mmap.mmap | None = None
_offset = _pid = _count = _lines = _lines_pid = 0
_first = 0.0


def tick() -> None:
    """One thing was done."""
    global _count
    with _lock:
        if _pid != os.getpid():
            _open()
        _count += 1
        assert _map is not None
        _pack(_map, _offset, _count, _first, _clock())


def line(text: str) -> None:
    """Tells of one thing; lines of several processes never mix."""
    global _lines, _lines_pid
    if _lines_pid != os.getpid():
        _lines = os.open(os.environ["BENCH_LINES"], os.O_WRONLY | os.O_APPEND)
        _lines_pid = os.getpid()
    os.write(_lines, f"{text}\n".encode())


def done(name: str) -> None:
    """Tells that ``name`` is done, and when."""
    line(f"{name} {_clock():.6f}")


def _open() -> None:
    global _map, _offset, _pid, _count, _first
    path = os.environ["BENCH_TICKS"]
    _offset = SLOT * _own_slot(path)
    with open(path, "r+b") as file:
        _map = mmap.mmap(file.fileno(), SLOT * SLOTS)
    _pid, _count, _first = os.getpid(), 0, _clock()


def _own_slot(path: str) -> int:
    for slot in range(SLOTS):
        try:
            os.close(os.open(f"{path}.{slot}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return slot
    raise RuntimeError("more processes tick than there are slots")
