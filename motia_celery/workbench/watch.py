"""What the live feed tells, gathered once for all listeners, and only while somebody listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import orjson

from motia_celery.errors import FrameworkError
from motia_celery.model.change import Change
from motia_celery.stores.state_changes import StateChange
from motia_celery.workbench.hub import Hub, reset
from motia_celery.workbench.shapes.app import Queues, QueueView
from motia_celery.workbench.shapes.feed import (
    DeadLettersMessage,
    QueuesMessage,
    StreamMessage,
    Want,
)
from motia_celery.workbench.sources import Sources
from motia_celery.workbench.state import state_messages
from motia_celery.workbench.streams import ITEM_BYTES
from motia_celery.workbench.workers import queues_now

log = logging.getLogger("motia_celery.workbench")

SAMPLE_SECONDS = 2.0
#: Gathering goes on for so long after the last listener left, who may come back.
LINGER_SECONDS = 30.0
_PAUSE_SECONDS = 1.0


class Watch:
    """Gathers for the hub of one web process."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._hub: Hub = sources.hub
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to wait for listeners."""
        self._keep({"queues"}, self._sample)
        self._keep({"streams"}, self._follow_streams)
        if self._sources.state_changes is not None:
            self._keep({"state"}, self._follow_state)
        if self._sources.records is not None:
            self._keep({"runs", "logs"}, self._follow_records)

    async def aclose(self) -> None:
        """Ends it."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _keep(self, wants: set[Want], gather: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._while_wanted(frozenset(wants), gather)))

    async def _while_wanted(
        self, wants: frozenset[Want], gather: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            await self._hub.until_wanted(wants)
            gathering = asyncio.create_task(_through_faults(gather))
            try:
                await self._hub.until_unwanted(wants, LINGER_SECONDS)
            finally:
                gathering.cancel()
                await asyncio.wait([gathering])
            self._hub.forget()

    async def _sample(self) -> None:
        known: dict[str, QueueView] = {}
        letters: int | None = None
        while True:
            try:
                queues = await queues_now(self._sources)
            except FrameworkError:
                pass  # `/queues` tells it to whoever asks
            else:
                known = self._tell_queues(queues, known)
                if queues.dead_letters is not None and queues.dead_letters != letters:
                    letters = queues.dead_letters
                    self._hub.tell(DeadLettersMessage(count=letters))
            await asyncio.sleep(SAMPLE_SECONDS)

    def _tell_queues(self, queues: Queues, known: dict[str, QueueView]) -> dict[str, QueueView]:
        changed = tuple(queue for queue in queues.queues if known.get(queue.name) != queue)
        if changed:
            self._hub.tell(QueuesMessage(at=queues.at, queues=changed))
        return {queue.name: queue for queue in queues.queues}

    async def _follow_streams(self) -> None:
        async with aclosing(self._sources.streams.subscribe()) as changes:
            async for change in changes:
                # What changed before is not known: what is shown must be fetched once more.
                message = stream_message(change) if isinstance(change, Change) else reset()
                self._hub.tell(message)

    async def _follow_state(self) -> None:
        follow = self._sources.state_changes
        if follow is not None:
            async with aclosing(follow()) as batches:
                async for batch in batches:
                    await self._tell_state(batch)

    async def _tell_state(self, batch: tuple[StateChange, ...] | None) -> None:
        if batch is None:
            self._hub.tell(reset())
            return
        for message in await state_messages(self._sources.state, batch):
            self._hub.tell(message)

    async def _follow_records(self) -> None:
        records = self._sources.records
        if records is not None:
            async with aclosing(records.changes()) as messages:
                async for message in messages:
                    self._hub.tell(reset() if message is None else message)


def stream_message(change: Change) -> StreamMessage:
    """The change as the feed tells it."""
    is_large = len(orjson.dumps(change.data)) > ITEM_BYTES
    return StreamMessage(
        stream=change.stream,
        group=change.group,
        id=change.id,
        change=change.type,
        version=change.version,
        data=None if is_large else change.data,
        truncated=is_large,
    )


async def _through_faults(gather: Callable[[], Awaitable[None]]) -> None:
    """Gathers again and again; a fault must not silence the feed for good."""
    while True:
        try:
            await gather()
        except Exception:
            log.exception("The live feed was interrupted.", extra={"action": "workbench.feed"})
        await asyncio.sleep(_PAUSE_SECONDS)
