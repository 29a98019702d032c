"""Reading Step files of another language, in child processes that end afterwards.

All files are executed together, which is fast. Where one of them ends the process or keeps it
busy, those that are left are executed one after another, so that it only harms itself.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from motia_celery.errors import FrameError
from motia_celery.runtime.frames import FrameReader, Message, encode
from motia_celery.runtime.process import HostCommand
from motia_celery.runtime.remote import RemoteError

logger = logging.getLogger("motia_celery.runtime")

_MOST_PROCESSES = 4
_MOST_NAMES = 5
#: What a child may take to start, on a machine under load.
_GREETING_SECONDS = 30.0
#: A child that says nothing is asked this many times whether it listens before it is given up.
_QUESTIONS = 10

Loaded = Message | RemoteError


class _LoadError(Exception):
    """Why a child gives no more files."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.error = RemoteError("Error", message, code)


class _WaitingError(_LoadError):
    """The files wait for something; the child is well."""

    def __init__(self, seconds: float) -> None:
        super().__init__("LOAD_WAITS", f"it still waits for something after {seconds:g} s")


class _BusyError(_LoadError):
    """The child does not even listen."""

    def __init__(self, seconds: float) -> None:
        super().__init__("LOAD_BUSY", f"it keeps the process busy for more than {seconds:g} s")


class _DiedError(_LoadError):
    """The child ended."""

    def __init__(self, code: int) -> None:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        super().__init__("LOAD_DIED", f"it ends its process ({how})")


def load_files(
    command: HostCommand, files: Sequence[str], patience_seconds: float
) -> Mapping[str, Loaded]:
    """The ``loaded`` message of each file, or why there is none; by path.

    The whole may take long, but not stand still for ``patience_seconds``.
    """
    if len(files) == 1:
        return _load_in_turn(command, files, patience_seconds)
    found: dict[str, Loaded] = {}
    try:
        with _Child(command) as child:
            # One busy file holds up all the others, so it is not waited for as long.
            for message in child.load(files, patience_seconds, patience_seconds / 2):
                found[message["file"]] = message
    except _WaitingError as fault:
        found.update((file, fault.error) for file in files if file not in found)
    except _LoadError:
        left = [file for file in files if file not in found]
        found.update(_load_apart(command, left, patience_seconds))
    return found


def _load_apart(
    command: HostCommand, files: Sequence[str], patience_seconds: float
) -> Iterator[tuple[str, Loaded]]:
    count = min(_MOST_PROCESSES, len(files))
    parts = [files[start::count] for start in range(count)]
    with ThreadPoolExecutor(count, "load-files") as pool:
        for part in pool.map(lambda part: _load_in_turn(command, part, patience_seconds), parts):
            yield from part.items()


def _load_in_turn(
    command: HostCommand, files: Iterable[str], patience_seconds: float
) -> dict[str, Loaded]:
    """One file after another; a child that one of them has ruined is replaced."""
    found: dict[str, Loaded] = {}
    left = list(files)
    while left:
        with _Child(command) as child, contextlib.suppress(_LoadError):
            while left:
                file = left.pop(0)
                try:
                    (found[file],) = child.load([file], patience_seconds, patience_seconds)
                except _LoadError as fault:
                    found[file] = fault.error
                    raise
    return found


class _Child:
    """A child that reads files, spoken to from a thread that waits for it."""

    def __init__(self, command: HostCommand) -> None:
        self._root = command.root
        self._reader = FrameReader(command.limit_bytes)
        self._process, self._socket = command.start(quiet=True)
        self._is_greeted = False
        self._send(command.hello)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def load(
        self, files: Sequence[str], patience_seconds: float, busy_seconds: float
    ) -> Iterator[Message]:
        """The ``loaded`` message of each file, as they come.

        Raises:
            _LoadError: the child ended; nothing came for ``patience_seconds``; or it did not
                even answer for ``busy_seconds``.
        """
        self._greet()
        self._send(encode({"type": "load", "id": 1, "files": list(files)}))
        left = dict.fromkeys(files)
        watch = _Watch(patience_seconds, busy_seconds)
        while left:
            messages = self._receive(patience_seconds / _QUESTIONS)
            for message in messages:
                if message["type"] == "loaded" and message["file"] in left:
                    del left[message["file"]]
                    yield message
            watch.note(messages)
            if not messages:
                self._send(encode({"type": "ping", "id": 1}))
            if left and watch.is_slow_now():
                self._tell([*left])

    def _greet(self) -> None:
        if not self._is_greeted and not self._receive(_GREETING_SECONDS):
            raise _BusyError(_GREETING_SECONDS)
        self._is_greeted = True

    def _send(self, frame: bytes) -> None:
        # A child that is gone, or does not read, is noticed where its answer is missing.
        with contextlib.suppress(OSError):
            self._socket.sendall(frame)

    def _receive(self, seconds: float) -> list[Message]:
        """What came, or nothing after a while."""
        self._socket.settimeout(seconds)
        try:
            data = self._socket.recv(1 << 18)
            messages = list(self._reader.feed(data))
        except TimeoutError:
            return []
        except (OSError, FrameError):
            data = b""
        if not data:
            raise _DiedError(self._end())
        return messages or [{"type": "part"}]

    def _end(self) -> int:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(1)
        self._process.kill()
        return self._process.wait()

    def _tell(self, files: Sequence[str]) -> None:
        names = [Path(file).relative_to(self._root).as_posix() for file in files[:_MOST_NAMES]]
        more = len(files) - len(names)
        rest = f" and {more} more" if more else ""
        told = ", ".join(names) + rest
        logger.warning("Still loading %s", told, extra={"action": "load.slow"})


class _Watch:
    """How long a child has stood still."""

    def __init__(self, patience_seconds: float, busy_seconds: float) -> None:
        self._patience = patience_seconds
        self._busy = busy_seconds
        self._moved = self._heard = time.monotonic()
        self._is_told = False

    def note(self, messages: Sequence[Message]) -> None:
        """Takes in what came last.

        Raises:
            _LoadError: the child has stood still for too long.
        """
        now = time.monotonic()
        if messages:
            self._heard = now
        if any(message["type"] != "pong" for message in messages):
            self._moved = now
        if now - self._heard > self._busy:
            raise _BusyError(self._busy)
        if now - self._moved > self._patience:
            raise _WaitingError(self._patience)

    def is_slow_now(self) -> bool:
        """Whether it has become worth a word; true once."""
        is_slow = time.monotonic() - self._moved > self._patience / 3
        is_new, self._is_told = is_slow and not self._is_told, is_slow
        return is_new
