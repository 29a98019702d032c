"""The isolated host: each call in a process of its own, which ends with the call.

Module state, the working directory and the environment of one run are never seen by another, and
a handler that never gives way, or ends its process, harms nobody else. A few processes wait in
advance, so that a call does not wait for a start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from motia_celery.context import Context
from motia_celery.errors import FrameworkError, HostDiedError
from motia_celery.model.run import Run
from motia_celery.model.step import Language, Step
from motia_celery.process import process_id
from motia_celery.runtime.crossing import (
    ContextAnswerer,
    call_fields,
    request_fields,
    told_fields,
    trigger_fields,
)
from motia_celery.runtime.host import Host
from motia_celery.runtime.process import HostCommand, Link

logger = logging.getLogger("motia_celery.runtime")

#: How many processes of each language wait for a call. One takes the place of each that is taken.
SPARES = 2

#: How a process is started. Languages with the same one share their spares.
Command = Callable[[], HostCommand]


class IsolatedHost:
    """The isolated Steps of one process: those that ask for it, or all with ``everywhere``.

    At most ``processes`` runs are under way at once, the others wait. Nothing is started before
    the first of them. The processes belong to the event loop of their calls.
    """

    def __init__(
        self,
        root: Path,
        commands: Mapping[Language, Command],
        *,
        processes: int,
        everywhere: bool = False,
        cancel_grace_seconds: float = 2,
    ) -> None:
        self._root = root
        self._commands = commands
        self._processes = processes
        self._everywhere = everywhere
        self._grace = cancel_grace_seconds
        self._children: _Children | None = None

    def takes(self, step: Step) -> bool:
        """Whether the Step's runs are isolated: its own word counts before the app's."""
        return self._everywhere if step.isolated is None else step.isolated

    @asynccontextmanager
    async def child(self, step: Step) -> AsyncIterator[Host]:
        """A process for one call of the Step's handler, ready to take it.

        Raises:
            HostMissingError: the Step's language is not installed.
            HostDiedError: the process ended while it started.
        """
        children = self._of_this_loop()
        link = await children.take(self._commands[step.language])
        try:
            yield _Child(link, step, self._root)
        finally:
            children.let_go(link)

    def _of_this_loop(self) -> _Children:
        loop, children = asyncio.get_running_loop(), self._children
        if children is not None and children.pid == process_id():
            if children.loop is loop:
                return children
            children.kill()
        self._children = _Children(self._processes, self._grace)
        return self._children

    @property
    def pids(self) -> frozenset[int]:
        """The processes that run or wait."""
        links = self._children.links if self._children else ()
        return frozenset(link.pid for link in links)

    async def aclose(self) -> None:
        """:meth:`close`, from the event loop of the calls; returns once the processes are gone."""
        self.close()
        if self._children is not None and self._children.loop is asyncio.get_running_loop():
            await self._children.gone()

    def close(self) -> None:
        """Ends every process; runs that they still have fail."""
        if self._children is not None and self._children.pid == process_id():
            self._children.kill()


class _Child:
    """The host of one call."""

    def __init__(self, link: Link, step: Step, root: Path) -> None:
        self._link = link
        self._step = step
        self._file = str(root / step.file)

    async def call(self, run: Run, context: Context) -> Any:
        """Calls the handler, and gives what it returned."""
        if self._step.language == "python":
            fields = call_fields(self._file, run) | request_fields(run)
        else:
            fields = told_fields(self._file, run, trigger_fields(context.trigger))
        return await self._link.call(fields, ContextAnswerer(context))


class _Children:
    """The processes of one event loop: some run, some wait."""

    def __init__(self, processes: int, grace_seconds: float) -> None:
        self.pid = process_id()
        self.loop = asyncio.get_running_loop()
        self.links: set[Link] = set()
        self._room = asyncio.Semaphore(processes)
        self._spares: defaultdict[Command, deque[Link]] = defaultdict(deque)
        self._grace = grace_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._filling: set[Command] = set()
        self._is_closed = False

    async def take(self, command: Command) -> Link:
        """A process that takes a call, once there is room for one."""
        await self._room.acquire()
        try:
            link = await self._ready(command)
        except BaseException:
            self._room.release()
            raise
        self._begin(self._fill(command))
        return link

    async def _ready(self, command: Command) -> Link:
        while spares := self._spares[command]:
            with contextlib.suppress(HostDiedError):  # it ended while it waited
                return await self._greeted(spares.popleft())
        return await self._greeted(await self._open(command))

    async def _greeted(self, link: Link) -> Link:
        try:
            if await link.greeted():
                return link
        except asyncio.CancelledError:
            link.kill()
            raise
        raise link.death()

    async def _open(self, command: Command) -> Link:
        link = await Link.open(command(), self._grace)
        self.links.add(link)
        self._begin(self._follow(link))
        return link

    async def _follow(self, link: Link) -> None:
        await link.ended()
        self.links.discard(link)

    async def _fill(self, command: Command) -> None:
        """Puts a spare in the place of what was taken."""
        if command in self._filling:
            return
        self._filling.add(command)
        try:
            while len(self._spares[command]) < SPARES and not self._is_closed:
                self._spares[command].append(await self._open(command))
        except (OSError, FrameworkError) as error:
            # The next call starts one itself, and tells what is wrong.
            logger.warning(
                "No process could be started in advance: %s", error, extra={"action": "host.spare"}
            )
        finally:
            self._filling.discard(command)
        if self._is_closed:
            self.kill()

    def let_go(self, link: Link) -> None:
        """Ends the process of a call, and makes room for the next once it is gone."""
        self._begin(self._leave(link))

    async def _leave(self, link: Link) -> None:
        try:
            await link.leave()
        finally:
            self._room.release()

    def _begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def gone(self) -> None:
        """Returns once every process is gone."""
        while self.links or self._filling:
            await asyncio.wait([*self._tasks])

    def kill(self) -> None:
        """Ends every process at once."""
        self._is_closed = True
        for link in [*self.links]:
            link.kill()
