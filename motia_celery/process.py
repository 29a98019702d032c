"""This process, told apart from those that it forks."""

from __future__ import annotations

import os

_id = os.getpid()


def process_id() -> int:
    """The id of this process; ``os.getpid`` asks the kernel each time, and runs ask often."""
    return _id


def _forked() -> None:
    global _id
    _id = os.getpid()


os.register_at_fork(after_in_child=_forked)
