"""Which feed a fifo queue gets, and with how many partitions."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any

from motia_celery.broker.feed import Deliver, Feed
from motia_celery.broker.leases import LeaseFeed
from motia_celery.broker.partitions import PartitionFeed
from motia_celery.broker.publisher import Publisher
from motia_celery.broker.queue import StepQueue
from motia_celery.broker.sharing import Sharing
from motia_celery.errors import FrameworkError, QueueConflictError
from motia_celery.plan.topology import Names
from motia_celery.settings import Settings
from motia_celery.stores.connections import connection_name
from motia_celery.stores.partitions import PartitionCounts, Partitions, Takers
from motia_celery.stores.redis import connect_sync

logger = logging.getLogger("motia_celery.worker")


class Feeds:
    """Opens the feeds of one worker. The number of partitions is asked once for each queue."""

    def __init__(self, settings: Settings, names: Names, publisher: Callable[[], Publisher]):
        self._settings = settings
        self._names = names
        self._publisher = publisher
        self._counts: dict[str, int] = {}

    def open(self, queue: StepQueue, deliver: Deliver) -> Feed:
        """A feed that has started.

        Raises:
            SystemExit: it can not start; why is in the log, and the worker ends.
        """
        try:
            feed = self._feed(queue, deliver)
            feed.start()
        except FrameworkError as error:
            logger.error("%s", error, extra={"action": "worker.refused"})
            raise SystemExit(1) from None
        return feed

    def _feed(self, queue: StepQueue, deliver: Deliver) -> PartitionFeed | LeaseFeed:
        count = self._count(queue)
        client, prefix = self._client, self._settings.prefix
        taker = f"{connection_name(self._settings)}-{uuid.uuid4().hex}"
        if not self._settings.uses_rabbitmq:
            partitions = Partitions(client, prefix, queue.name, taker=taker, count=count)
            return LeaseFeed(queue, partitions, deliver)
        sharing = Sharing(Takers(client, prefix, queue.name, taker), taker)
        publish = self._publisher().publish_soon
        return PartitionFeed(queue, self._names, count, deliver, publish, sharing)

    @cached_property
    def _client(self) -> Any:
        return connect_sync(self._settings)

    def _count(self, queue: StepQueue) -> int:
        """The number of partitions in force, which a changed config does not change."""
        if queue.name in self._counts:
            return self._counts[queue.name]
        counts = PartitionCounts(self._client, self._settings.prefix)
        if counts.phase(queue.name):
            raise QueueConflictError(
                "a release that gives it other partitions has not ended.",
                queue.name,
                "Run `motia-celery release` again; it goes on where it was.",
            )
        count = counts.settle(queue.name, queue.partitions)
        if count != queue.partitions:
            logger.warning(
                "%s keeps its %d partitions; `motia-celery release`, run while no worker serves "
                "the Step, gives it %d",
                queue.name,
                count,
                queue.partitions,
                extra={"action": "partitions.kept"},
            )
        self._counts[queue.name] = count
        return count
