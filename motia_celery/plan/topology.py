"""The broker objects of the app, as values: exchanges, one queue per Step, bindings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from motia_celery.model.step import Step
from motia_celery.model.topic import matches

#: RabbitMQ 4's own default; set by us, so that older brokers stop poison messages too.
DELIVERY_LIMIT = 20

#: RabbitMQ's own limit for the time between a delivery and its acknowledgement.
CONSUMER_TIMEOUT_SECONDS = 30 * 60
#: The limit that queues have from RabbitMQ 3.12 on where that would be too short: those of long
#: runs, and the partitions of fifo Steps, which hold a delivery through all attempts and waits.
LONGEST_HOLD_SECONDS = 24 * 3600

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Names:
    """The name of every broker object, under one prefix."""

    prefix: str

    @property
    def events(self) -> str:
        """The topic exchange that events are emitted to, and that other services may use."""
        return f"{self.prefix}.events"

    @property
    def steps(self) -> str:
        """The private exchange that reaches one Step's queue by its name."""
        return f"{self.prefix}.steps"

    @property
    def dead_letter_exchange(self) -> str:
        """The exchange that dead letters pass."""
        return f"{self.prefix}.dlx"

    @property
    def dead_letter_queue(self) -> str:
        """The queue that keeps dead letters."""
        return f"{self.prefix}.dlq"

    @property
    def relay(self) -> str:
        """The queue where an emit that was delayed arrives, to be sent on to everyone."""
        return f"{self.prefix}.relay"

    @property
    def default_queue(self) -> str:
        """Celery's default queue, for the user's own tasks."""
        return f"{self.prefix}.default"

    def queue(self, step_name: str) -> str:
        """A Step's queue. Names that had to be altered get a hash, so that no two collide."""
        safe = _UNSAFE.sub("-", step_name)
        if safe != step_name or len(safe) > 120:
            safe = f"{safe[:120]}-{hashlib.sha256(step_name.encode()).hexdigest()[:8]}"
        return f"{self.prefix}.q.{safe}"


def task_name(step_name: str) -> str:
    """A Step's Celery task name, as Flower shows it."""
    return f"step:{step_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlan:
    """One Step's queue and the topics bound to it; a cron Step's queue has no topics.

    ``delay_seconds`` is how long after its emit an event reaches the Step.
    ``partitions`` is 0 but for a fifo Step: its messages go from the queue on to so many
    partitions, all of one group to the same one. ``holds_long``: a run may come near RabbitMQ's
    own limit for a delivery, so the queue has one of its own.
    """

    name: str
    step: str
    topics: tuple[str, ...] = ()
    delay_seconds: float = 0
    partitions: int = 0
    holds_long: bool = False

    @property
    def task(self) -> str:
        """The name of the Celery task that its messages become."""
        return task_name(self.step)


def partition_name(queue: str, number: int) -> str:
    """The queue of one partition. No Step's name keeps a colon, so it is never a Step's queue."""
    return f"{queue}:{number}"


def partition_names(queue: str, count: int) -> tuple[str, ...]:
    """The queues of all partitions."""
    return tuple(partition_name(queue, number) for number in range(count))


def queue_of(name: str) -> str:
    """The Step's queue, of its own name or of one of its partitions."""
    return name.partition(":")[0]


def partition_of(key: str, count: int) -> int:
    """The partition of a group, the same in every process and in Redis's own scripts."""
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) % count


@dataclass(frozen=True)
class Topology:
    """All queues of the app."""

    names: Names
    queues: tuple[QueuePlan, ...] = ()
    _by_topic: dict[str, tuple[QueuePlan, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def by_step(self) -> dict[str, QueuePlan]:
        """Each Step's queue."""
        return {queue.step: queue for queue in self.queues}

    def subscribers(self, topic: str) -> tuple[QueuePlan, ...]:
        """The queues that an event of this topic reaches."""
        found = self._by_topic.get(topic)
        if found is None:
            found = tuple(q for q in self.queues if any(matches(p, topic) for p in q.topics))
            # Topics may carry ids (`user.42`), so what is remembered is bounded.
            if len(self._by_topic) < 10_000:
                self._by_topic[topic] = found
        return found


def _holds_long(step: Step) -> bool:
    # A delivery may wait in its worker for a free slot, for as long as other runs take.
    return longest_run_seconds(step) > CONSUMER_TIMEOUT_SECONDS / 2


def longest_run_seconds(step: Step) -> float:
    """How long a run of the Step may take, as far as its config tells."""
    return max(step.timeout_seconds or 0, step.queue.visibility_timeout_seconds)


def compile_topology(prefix: str, steps: Iterable[Step]) -> Topology:
    """The queues of every Step that events, the clock or changes start."""
    names = Names(prefix)
    queues = tuple(
        QueuePlan(
            name=names.queue(step.name),
            step=step.name,
            topics=step.topics,
            delay_seconds=step.queue.delay_seconds,
            partitions=step.queue.partitions if step.queue.type == "fifo" else 0,
            holds_long=step.queue.type != "fifo" and _holds_long(step),
        )
        for step in steps
        if step.is_queued
    )
    return Topology(names, queues)
