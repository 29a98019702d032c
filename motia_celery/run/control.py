"""Control: what a person asks of running workers. It is remembered, and heard at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from motia_celery.broker.purge import purge
from motia_celery.errors import ConfigError
from motia_celery.stores.controls import ControlStore
from motia_celery.stores.partitions import PartitionCounts
from motia_celery.stores.redis import connect_sync

if TYPE_CHECKING:
    from motia_celery.plan import Plan
    from motia_celery.settings import Settings


class Control:
    """Pauses, resumes and calls off for one app.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._settings = settings
        self._plan = plan
        self._client = connect_sync(settings)
        self._store = ControlStore(self._client, settings.prefix)

    def paused(self) -> tuple[str, ...]:
        """The names of the paused Steps."""
        return tuple(sorted(self._store.read().paused))

    def pause(self, step: str) -> bool:
        """Keeps a Step's events in its queue until it is resumed; False if it was paused.

        Raises:
            ConfigError: the Step has no queue.
        """
        self._queues(step)
        return self._store.pause(step)

    def resume(self, step: str) -> bool:
        """Lets a Step go on; False if it was not paused. It may be gone from the project."""
        return self._store.resume(step)

    def cancel_run(self, run_id: str) -> None:
        """Cuts the run where it is, and lets no further attempt of it begin."""
        self._store.call_off_run(run_id)

    def cancel_trace(self, trace_id: str) -> None:
        """Cuts every run of a trace, and lets no further one begin."""
        self._store.call_off_trace(trace_id)

    def cancel_queued(self, step: str) -> int:
        """Drops every event that waits for a Step, retries and delayed ones included.

        Gives the number of messages that were in its queue.

        Raises:
            ConfigError: the Step has no queue.
            BrokerUnavailableError: the broker does not answer.
        """
        queues = self._queues(step)
        counts = PartitionCounts(self._client, self._settings.prefix)
        # Whole seconds, as events carry them: one of this second may be newer than the request.
        self._store.empty(step, int(time.time()))
        return purge(self._settings, queues, counts)

    def _queues(self, step: str) -> tuple[str, ...]:
        queue = self._plan.topology.by_step.get(step)
        if queue is None:
            raise ConfigError(
                f"no event or cron Step is named {step!r}.",
                "",
                "`motia-celery plan` lists them.",
            )
        return (queue.name,)
