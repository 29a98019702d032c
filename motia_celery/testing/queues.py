"""The queues and the worker of an app in memory: fan-out, retries, order, delays, dead letters.

What RabbitMQ, the delay path and a worker do in production is done here by the same rules, on a
clock that a test moves. Runs begin as soon as they may, each in a task of its own.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from motia_celery.broker.gate import place_of
from motia_celery.broker.task import run_of
from motia_celery.model.dead_letter import DeadLetter
from motia_celery.model.event import Event, parsed, run_id
from motia_celery.model.retry import GiveUp, decide
from motia_celery.model.run import Failure, Outcome, Run, RunError, Success
from motia_celery.model.step import LONGEST_DELAY_SECONDS, Step
from motia_celery.plan import Plan
from motia_celery.plan.topology import QueuePlan, partition_of
from motia_celery.testing.clock import Clock
from motia_celery.testing.recordings import Recordings

Invoke = Callable[[Run], Coroutine[Any, Any, Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way to one Step. ``booked``: the Step's rate has let it through."""

    event: Event
    queue: QueuePlan
    run_id: str
    attempt: int = 1
    booked: bool = False


@dataclass(frozen=True, slots=True, order=True)
class _Later:
    """Something to do at a moment. ``is_own``: a wait of the app's making, not of the Step's."""

    due: float
    number: int
    is_own: bool
    what: Callable[[], None]


class MemoryQueues:
    """Delivers events to the Steps of a Plan, and runs them."""

    def __init__(
        self, plan: Plan, invoke: Invoke, recordings: Recordings, clock: Clock, concurrency: int
    ) -> None:
        self.dead_letters: list[DeadLetter] = []
        self._topology = plan.topology
        self._steps: dict[str, Step] = {step.name: step for step in plan.steps}
        self._invoke = invoke
        self._recordings = recordings
        self._clock = clock
        self._slots = concurrency
        self._ready: deque[Delivery] = deque()
        self._later: list[_Later] = []
        self._numbers = count()
        self._tasks: set[asyncio.Task[None]] = set()
        #: Errors that no handler raised.
        self._faults: list[BaseException] = []
        self._lanes: defaultdict[tuple[str, int], deque[Delivery]] = defaultdict(deque)
        self._held: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[Delivery]] = defaultdict(deque)
        self._free_at: dict[str, float] = {}
        self._done: dict[str, Delivery] = {}

    # What is sent

    def publish(self, event: Event, delay_seconds: float = 0) -> None:
        """Delivers the event to every Step that subscribed to its topic, now or after a delay."""
        event = replace(event, encoded=event.body)
        if delay_seconds:
            self._at(delay_seconds, lambda: self._fan_out(event), is_own=False)
        else:
            self._fan_out(event)

    def send(self, event: Event, queue: QueuePlan, run: str | None = None) -> None:
        """Delivers the event to one Step alone."""
        event = replace(event, encoded=event.body)
        self._take(Delivery(event=event, queue=queue, run_id=run or run_id(event.id, queue.name)))

    def redeliver(self, run: str) -> None:
        """Delivers once more what started a run that has ended.

        Raises:
            KeyError: no run of a queue has this id.
        """
        self._take(replace(self._done[run], attempt=1))

    def _fan_out(self, event: Event) -> None:
        for queue in self._topology.subscribers(event.topic):
            delivery = Delivery(event=event, queue=queue, run_id=run_id(event.id, queue.name))
            if queue.delay_seconds:
                self._again(delivery, queue.delay_seconds, is_own=False)
            else:
                self._take(delivery)

    def _again(self, delivery: Delivery, seconds: float, *, is_own: bool = True) -> None:
        self._at(seconds, lambda: self._take(delivery), is_own=is_own)

    def _at(self, seconds: float, what: Callable[[], None], *, is_own: bool) -> None:
        due = self._clock.time() + seconds
        heapq.heappush(self._later, _Later(due, next(self._numbers), is_own, what))

    # Whose turn it is

    def _take(self, delivery: Delivery) -> None:
        """Runs the delivery, unless something of its group is before it."""
        lane = _lane(delivery)
        if lane is None:
            self._admit(delivery)
            return
        self._lanes[lane].append(delivery)
        if len(self._lanes[lane]) == 1:
            self._admit(delivery)

    def _admit(self, delivery: Delivery) -> None:
        """Runs the delivery as soon as the limits of its Step let it."""
        step = self._steps[delivery.queue.step]
        wait = 0.0 if delivery.booked else self._rate_wait(step)
        if wait:
            booked = replace(delivery, booked=True)
            self._replace_head(booked)
            self._at(wait, lambda: self._admit(booked), is_own=True)
            return
        place = place_of(step, self._run(delivery))
        if place is not None and self._held[place] >= (step.queue.concurrency or 1):
            self._waiting[place].append(delivery)
            return
        if place is not None:
            self._held[place] += 1
        self._ready.append(delivery)
        self._start()

    def _rate_wait(self, step: Step) -> float:
        """How long the next run of the Step's rate has to wait; it is booked."""
        rate, now = step.queue.rate, self._clock.time()
        if rate is None:
            return 0
        free = max(now, self._free_at.get(step.name, 0))
        self._free_at[step.name] = free + rate.seconds / rate.count
        return min(free - now, LONGEST_DELAY_SECONDS)

    def _start(self) -> None:
        while self._ready and len(self._tasks) < self._slots:
            delivery = self._ready.popleft()
            work = self._work(delivery)
            task = asyncio.get_running_loop().create_task(work, name=delivery.queue.step)
            self._tasks.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._faults.append(error)
        self._start()

    def _leave(self, delivery: Delivery) -> None:
        """Frees the place that the run held, for the next that waits for one."""
        place = place_of(self._steps[delivery.queue.step], self._run(delivery))
        if place is None:
            return
        self._held[place] -= 1
        if self._waiting[place]:
            self._held[place] += 1
            self._ready.append(self._waiting[place].popleft())

    def _replace_head(self, delivery: Delivery) -> None:
        lane = _lane(delivery)
        if lane is not None:
            self._lanes[lane][0] = delivery

    # The run

    async def _work(self, delivery: Delivery) -> None:
        step, run = self._steps[delivery.queue.step], self._run(delivery)
        outcome: Outcome = Success()
        try:
            if not (step.once and self._has_finished(run.id)):
                outcome = await self._invoke(run)
        finally:
            self._leave(delivery)
        if isinstance(outcome, Failure):
            self._after_failure(delivery, outcome.error)
        else:
            self._ended(delivery)

    def _has_finished(self, run: str) -> bool:
        return run in self._done and all(letter.id != run for letter in self.dead_letters)

    def _run(self, delivery: Delivery) -> Run:
        event = replace(delivery.event, data=parsed(delivery.event.body))
        step = self._steps[delivery.queue.step]
        trace = event.trace.child()
        due = int(self._clock.time() * 1000)
        return run_of(step, delivery.run_id, event, trace, delivery.attempt, due)

    def _after_failure(self, delivery: Delivery, error: RunError) -> None:
        policy = self._steps[delivery.queue.step].retry
        # The longest wait: a test must not depend on chance.
        decision = (
            GiveUp()
            if error.final
            else decide(policy, delivery.attempt, error.names, uniform=lambda _, longest: longest)
        )
        if isinstance(decision, GiveUp):
            self._recordings.settled(delivery.run_id, "failed", error)
            self.dead_letters.append(self._letter(delivery, error))
            self._ended(delivery)
            return
        self._recordings.settled(delivery.run_id, "retrying", error)
        following = replace(delivery, attempt=delivery.attempt + 1, booked=False)
        if _lane(delivery) is None:
            self._again(following, decision.delay_seconds)
        else:  # its group waits for it
            self._replace_head(following)
            self._at(decision.delay_seconds, lambda: self._admit(following), is_own=True)

    def _ended(self, delivery: Delivery) -> None:
        self._done[delivery.run_id] = delivery
        lane = _lane(delivery)
        if lane is None:
            return
        self._lanes[lane].popleft()
        if self._lanes[lane]:
            self._admit(self._lanes[lane][0])

    def _letter(self, delivery: Delivery, error: RunError) -> DeadLetter:
        event = delivery.event
        return DeadLetter(
            id=delivery.run_id,
            reason="misfit" if error.type.endswith("MismatchError") else "failed",
            step=delivery.queue.step,
            queue=delivery.queue.name,
            topic=event.topic,
            error=error,
            attempts=delivery.attempt,
            died_at=datetime.fromtimestamp(self._clock.time(), UTC),
            event_id=event.id,
            trace_id=event.trace.trace_id,
            body=event.body,
            content_type="application/json",
        )

    def replay(self, letter: DeadLetter) -> None:
        """Takes the letter away, and delivers its event to its Step as the same run."""
        self.dead_letters.remove(letter)
        delivery = self._done.pop(letter.id)
        self._take(replace(delivery, attempt=1, booked=False))

    # Time

    async def quiet(self) -> None:
        """Returns once nothing runs; the clock stands still."""
        self._start_due()
        while self._tasks:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)  # what follows from the end of a task is begun
            self._start_due()
        if self._faults:
            raise self._faults.pop()

    async def settle(self) -> None:
        """:meth:`quiet`, and moves the clock for retries and rates until none is left."""
        await self.quiet()
        while (due := self.next_due(own_only=True)) is not None:
            self._clock.move_to(due)
            await self.quiet()

    def next_due(self, *, own_only: bool = False) -> float | None:
        """When the next thing is due that waits."""
        return min((one.due for one in self._later if one.is_own or not own_only), default=None)

    @property
    def running(self) -> list[str]:
        """The Steps that run."""
        return sorted({task.get_name() for task in self._tasks})

    async def aclose(self) -> None:
        """Cuts what runs."""
        self._ready.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_due(self) -> None:
        while self._later and self._later[0].due <= self._clock.time():
            heapq.heappop(self._later).what()


def _lane(delivery: Delivery) -> tuple[str, int] | None:
    """The partition of a fifo Step's delivery; None where order does not count."""
    queue = delivery.queue
    if not queue.partitions:
        return None
    key = delivery.event.group or delivery.event.id
    return (queue.name, partition_of(key, queue.partitions))
