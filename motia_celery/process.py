"""This process, told apart from those that it forks."""

from __future__ import annotations

import gc
import os

_id = os.getpid()


def process_id() -> int:
    """The id of this process; ``os.getpid`` asks the kernel each time, and runs ask often."""
    return _id


def keep_loaded() -> None:
    """Spares the garbage collector what is loaded by now, which stays for as long as the process.

    A full round looks at every object, of which an app that is ready has some 120,000; what runs
    leave to their records for a moment has such a round begin often. It was 40 of the 100 µs that
    a request took. What is garbage by now stays too: to collect it first would hold up a worker
    for 70 ms, and found five objects.
    """
    gc.freeze()


def _forked() -> None:
    global _id
    _id = os.getpid()


os.register_at_fork(after_in_child=_forked)
