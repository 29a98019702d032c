"""The Python host as a program: it runs Step files for the process that started it.

``python -m motia_celery.runtime.pythonhost``, started by :func:`python_command` and spoken to in
frames (``docs/frames.md``). It imports as little as it can: a run may be waiting for it.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from motia_celery.context.state import Wrap
from motia_celery.observe.logs import configure_logging, logging_form
from motia_celery.runtime.frames import DEFAULT_LIMIT_BYTES
from motia_celery.runtime.process import HOST_FD, HostCommand

#: Once its parent let go of it, the process has this long to end by itself.
_LAST_SECONDS = 2.0


def python_command(
    root: Path,
    *,
    state_wrap: Wrap = "both",
    stream_names: Iterable[str] = (),
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    environment: Mapping[str, str] | None = None,
) -> HostCommand:
    """How a Python host is started; it logs as this process does."""
    options = {"state_wrap": state_wrap, "streams": [*stream_names], "logging": logging_form()}
    # Not from the working directory: a project's own files must not stand for Python's modules.
    flags = ["-P", *(["-B"] if sys.dont_write_bytecode else [])]
    return HostCommand(
        arguments=[sys.executable, *flags, "-m", __name__, orjson.dumps(options).decode()],
        root=root,
        limit_bytes=limit_bytes,
        environment=environment,
    )


def main() -> None:
    """Serves until the parent closes the socket."""
    descriptor = int(os.environ.pop(HOST_FD))
    os.set_inheritable(descriptor, False)
    options = orjson.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    if options.get("logging"):
        configure_logging(*options["logging"])
    # The parent decides when this process ends; a terminal signals both.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ignore)
    connection = socket.socket(fileno=descriptor)
    lifeline = os.dup(descriptor)
    threading.Thread(target=_end_with_parent, args=(lifeline, os.getppid()), daemon=True).start()
    asyncio.run(_serve(connection, options))


async def _serve(connection: socket.socket, options: Mapping[str, Any]) -> None:
    from motia_celery.runtime.serving import Server

    ended = asyncio.Event()
    wrap, streams = options.get("state_wrap", "both"), options.get("streams", ())
    server = Server(Path.cwd(), wrap, streams, ended)
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: server, sock=connection)
    await ended.wait()


def _ignore(number: int, frame: object) -> None:
    # Not SIG_IGN, which the processes that a handler starts would inherit.
    return


def _end_with_parent(lifeline: int, parent: int) -> None:
    """A handler that never gives way would outlive its parent; this thread would not."""
    poll = select.poll()
    poll.register(lifeline, 0)  # a hang-up is told without being asked for
    while not poll.poll(1000) and os.getppid() == parent:
        pass
    time.sleep(_LAST_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
