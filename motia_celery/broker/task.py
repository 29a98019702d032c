"""A Step as a Celery task: a delivery becomes a run, which ends in an ack, a retry or a burial."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from celery import Task
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded, TimeLimitExceeded

from motia_celery.broker import wire
from motia_celery.broker.consumer import RetryInPlaceError, StepFailedError
from motia_celery.broker.delivery import text_of
from motia_celery.broker.gate import HOLD_SECONDS, CalledOffError, Gate, LaterError
from motia_celery.broker.loop import wait_for
from motia_celery.broker.once import Once
from motia_celery.broker.publisher import Publisher
from motia_celery.errors import FrameworkError
from motia_celery.model.changed import change_input
from motia_celery.model.event import Event
from motia_celery.model.retry import GiveUp, TryAgain, decide
from motia_celery.model.run import Failure, Outcome, Run, RunError, Success
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace
from motia_celery.observe.metrics import RUNS, meter
from motia_celery.observe.recorder import Recorder
from motia_celery.observe.spans import AttemptWork
from motia_celery.plan.topology import QueuePlan
from motia_celery.stores.order import Order

logger = logging.getLogger("motia_celery.worker")

Invoke = Callable[[Run], Coroutine[Any, Any, Outcome]]


#: Celery's time limits, and a cancellation of the handler's own making.
_CUT_SHORT = (
    SoftTimeLimitExceeded,
    TimeLimitExceeded,
    asyncio.CancelledError,
    concurrent.futures.CancelledError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWork:
    """What one Step's task works with."""

    step: Step
    queue: QueuePlan
    invoke: Invoke
    publisher: Callable[[], Publisher]
    gate: Callable[[], Gate]
    once: Callable[[], Once]
    order: Callable[[], Order]
    recorder: Callable[[], Recorder]


class StepTask(Task):
    """The task of one Step: late acks, and nothing acknowledged before it is safe elsewhere."""

    abstract = True
    Request = "motia_celery.broker.consumer:StepRequest"
    acks_late = True
    acks_on_failure_or_timeout = False
    reject_on_worker_lost = True
    ignore_result = True
    max_retries = None
    typing = False

    work: StepWork

    def run(self, *args: Any, **kwargs: Any) -> None:
        """Runs the Step for the delivery in ``self.request``."""
        delivery = _delivered(self, args, kwargs)
        if delivery.redelivered and self.work.queue.partitions:
            delivery = wait_for(self._recalled(delivery))
        try:
            wait_for(self._attempt(delivery))
        except CalledOffError:
            self._called_off(delivery.run)
            raise Ignore from None
        except LaterError as later:
            wait_for(self._later(delivery, later))
        except _CUT_SHORT as error:
            name = type(error).__name__
            fault = RunError(name, "the run was cut short.", names=(name,))
            wait_for(self._after_failure(delivery, fault))

    async def perform(self, delivery: Delivered) -> None:
        """Runs the Step for a delivery that Celery's tracer does not see; returns after a success.

        Raises:
            Ignore, Retry, StepFailedError: the delivery is to be acknowledged.
            Reject: it is to be given back.
            CancelledError: the run was cut from outside.
        """
        try:
            await self._attempt(delivery)
        except CalledOffError:
            self._called_off(delivery.run)
            raise Ignore from None
        except LaterError as later:
            await self._later(delivery, later)
        except _CUT_SHORT as error:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            name = type(error).__name__
            fault = RunError(name, "the run was cut short.", names=(name,))
            await self._after_failure(delivery, fault)

    def bury(
        self, args: Any, kwargs: Any, headers: Mapping[str, Any], error: RunError
    ) -> Future[None]:
        """Publishes the dead letter of a request that ended outside of :meth:`run`."""
        identity, attempts = headers["id"], (headers.get("retries") or 0) + 1
        event = _event(identity, headers, _data(args, kwargs), Trace.read(headers))
        run = run_of(self.work.step, identity, event, event.trace, attempts, None)
        self.work.recorder().settled(run, "failed", error)
        publisher = self.work.publisher()
        meter.count(RUNS, self.work.step.name, "event", "failure")
        return publisher.bury_soon(
            event, self.work.queue, error, run_id=identity, attempts=attempts
        )

    def _called_off(self, run: Run) -> None:
        _log(run, "Called off", "run.called_off")
        meter.count(RUNS, run.step, run.trigger, "cancelled")
        self.work.recorder().settled(run, "cancelled")

    async def _attempt(self, delivery: Delivered) -> None:
        in_order = self.work.queue.partitions
        outcome = await (self._in_order if in_order else self._once)(delivery)
        if isinstance(outcome, Failure):
            await self._after_failure(delivery, outcome.error)

    async def _outcome(self, delivery: Delivered) -> Outcome:
        work, run = self.work, delivery.run
        gate = work.gate()
        async with gate.passed(work.step, run, delivery.sent_at, booked=delivery.booked):
            meter.began(run, delivery.sent_at * 1000 if delivery.sent_at else None)
            with delivery.tracked as tracked:
                outcome = await work.invoke(tracked.run)
                tracked.end_with(outcome)
                return outcome

    async def _once(self, delivery: Delivered) -> Outcome:
        """The outcome; of a Step with ``once`` a redelivery after a success does nothing."""
        if not self.work.step.once:
            return await self._outcome(delivery)
        async with self.work.once().turn(self.work.step, delivery.run) as turn:
            if turn.has_finished:
                _log(delivery.run, "Has finished before; its redelivery does nothing", "run.known")
                return Success()
            outcome = await self._outcome(delivery)
            if isinstance(outcome, Success):
                await turn.finish()
            return outcome

    async def _later(self, delivery: Delivered, later: LaterError) -> None:
        """Sends the message the way of delayed ones; it is the same attempt that begins then."""
        run = delivery.run
        if self.work.queue.partitions:
            wait = min(later.seconds, HOLD_SECONDS)
            raise RetryInPlaceError("waits for its limit", when=wait, attempt=run.attempt)
        try:
            await self._send(delivery, run.attempt, later.seconds, booked=later.booked)
        except FrameworkError as fault:  # it is not safe with the broker: keep the delivery
            raise Reject(str(fault), requeue=True) from None
        raise Retry("waits for its limit", when=later.seconds)

    async def _recalled(self, delivery: Delivered) -> Delivered:
        """The delivery as the attempt that it had come to before its worker was killed."""
        attempt = await self.work.order().recall(delivery.run.id)
        if attempt <= delivery.run.attempt:
            return delivery
        delivery.tracked.become(attempt)
        return delivery

    async def _in_order(self, delivery: Delivered) -> Outcome:
        run, group, order = delivery.run, self._group(delivery.run), self.work.order()
        async with order.alone(group):
            if delivery.redelivered and await order.has_finished(group, run.id):
                return Success()
            outcome = await self._once(delivery)
            # Not so of a dead letter: it may be replayed, as the same run.
            if isinstance(outcome, Success):
                await order.finish(group, run.id)
        return outcome

    def _group(self, run: Run) -> str | None:
        """The group of a fifo Step's run, among those of all Steps."""
        queue = self.work.queue
        return f"{queue.name}:{run.group}" if queue.partitions and run.group else None

    async def _after_failure(self, delivery: Delivered, error: RunError) -> None:
        run, step = delivery.run, self.work.step
        decision = GiveUp() if error.final else decide(step.retry, run.attempt, error.names)
        meter.failed(run, again=isinstance(decision, TryAgain))
        try:
            if isinstance(decision, TryAgain):
                await self._again(delivery, error, decision.delay_seconds)
            event = delivery.tracked.following()
            await self.work.publisher().bury(
                event, self.work.queue, error, run_id=run.id, attempts=run.attempt
            )
        except FrameworkError as fault:
            # Neither the retry nor the dead letter is safe with the broker: keep the delivery.
            raise Reject(str(fault), requeue=True) from None
        self.work.recorder().settled(run, "failed", error)
        if self.work.queue.partitions:
            await self.work.order().forget(run.id)
        _log_failure(run, error, "Failed for the last time; its event is a dead letter")
        raise StepFailedError(str(error))

    async def _again(self, delivery: Delivered, error: RunError, delay_seconds: float) -> None:
        if self.work.queue.partitions:
            await self._again_in_place(delivery, error, delay_seconds)
        following = replace(delivery, event=delivery.tracked.following())
        await self._send(following, delivery.run.attempt + 1, delay_seconds)
        self.work.recorder().settled(delivery.run, "retrying", error, delay_seconds)
        _log_failure(delivery.run, error, f"Failed; tries again in {delay_seconds:.1f} s")
        raise Retry(str(error), exc=StepFailedError(str(error)), when=delay_seconds)

    async def _send(
        self, delivery: Delivered, attempt: int, delay_seconds: float, *, booked: bool = False
    ) -> None:
        await self.work.publisher().send(
            delivery.event,
            self.work.queue,
            run_id=delivery.run.id,
            attempt=attempt,
            delay_seconds=delay_seconds,
            booked=booked,
        )

    async def _again_in_place(
        self, delivery: Delivered, error: RunError, delay_seconds: float
    ) -> None:
        """Keeps the delivery: published again, the event would stand behind its group's others."""
        run = delivery.run
        await self.work.order().remember(run.id, run.attempt + 1)
        self.work.recorder().settled(run, "retrying", error, delay_seconds)
        _log_failure(
            run, error, f"Failed; its group waits, and tries again in {delay_seconds:.1f} s"
        )
        raise RetryInPlaceError(
            str(error),
            StepFailedError(str(error)),
            delay_seconds,
            run.attempt + 1,
            wire.place_headers(delivery.tracked.following()),
        )


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery as the run to do, and the event to send on if it fails.

    ``sent_at`` is the epoch second of the emit, where it is known; ``booked``: the Step's rate
    has let it through; ``tracked`` is the attempt's place in the trace.
    """

    event: Event
    tracked: AttemptWork
    sent_at: int | None
    booked: bool
    redelivered: bool

    @property
    def run(self) -> Run:
        """The run to do."""
        return self.tracked.run


def _delivered(task: StepTask, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Delivered:
    request, step = task.request, task.work.step
    headers = vars(request)
    parent = Trace.read(headers)
    event = _event(request.id, headers, _data(args, kwargs), parent)
    sent_at, queued_at = headers.get(wire.SENT), headers.get(wire.QUEUED)
    trace = parent.child() if parent else event.trace
    due = queued_at or (sent_at * 1000 if isinstance(sent_at, int) else None)
    run = run_of(step, request.id, event, trace, request.retries + 1, due)
    return Delivered(
        event,
        AttemptWork(run, event, parent, task.work.queue.name, queued_at),
        sent_at=sent_at,
        booked=headers.get(wire.BOOKED) is True,
        redelivered=bool(request.delivery_info.get("redelivered")),
    )


def run_of(
    step: Step, identity: str, event: Event, trace: Trace, attempt: int, due_ms: int | None
) -> Run:
    """The run that a delivery asks for. ``due_ms`` is when it began to wait, in epoch ms."""
    trigger = step.started_by(event.topic)
    names_trigger = trigger != "event" and bool(event.topic)
    return Run(
        id=identity,
        step=step.name,
        trigger=trigger,
        input=change_input(trigger, event.data),
        trace=trace,
        flows=step.flows,
        topic=(event.topic or None) if trigger != "cron" else None,
        group=event.group,
        root_id=event.root_id,
        parent_id=event.parent_id,
        event_id=event.id,
        due_ms=due_ms,
        depth=event.depth,
        trigger_index=step.trigger_index(trigger, event.topic) if names_trigger else None,
        attempt=attempt,
        max_attempts=step.retry.max_attempts,
    )


def _data(args: Any, kwargs: Any) -> Any:
    """What a task message carries: an event's data, or what ``send_task`` was given."""
    return args[0] if args else (kwargs or None)


def _event(identity: str, headers: Mapping[str, Any], data: Any, parent: Trace | None) -> Event:
    """The event behind a task, which its headers describe; ``parent`` is where it was emitted."""
    sent_at, previous = headers.get(wire.SENT), headers.get(wire.PREVIOUS)
    return Event(
        topic=text_of(headers, wire.TOPIC) or "",
        data=data,
        id=headers.get(wire.EVENT) or identity,
        trace=parent or Trace.begin(headers),
        previous=Trace.from_header(previous) if previous else None,
        root_id=headers.get(wire.ROOT),
        parent_id=headers.get(wire.PARENT),
        group=headers.get(wire.GROUP),
        priority=headers.get(wire.PRIORITY),
        depth=wire.depth_of(headers),
        encoded=_encoded(headers),
        **({"timestamp_ms": sent_at * 1000} if isinstance(sent_at, int) else {}),
    )


def _encoded(headers: Any) -> bytes | None:
    """The data as it came; of a task that a Celery client sent it is not known."""
    body = headers.get(wire.BODY)
    return body if isinstance(body, bytes) else None


def _log_failure(run: Run, error: RunError, what: str) -> None:
    place = f" ({error.where})" if error.where else ""
    _log(run, f"{what}: {error}{place}", "run.failed")


def _log(run: Run, text: str, action: str) -> None:
    logger.warning(
        "%s",
        text,
        extra={
            "action": action,
            "step": run.step,
            "run_id": run.id,
            "trace_id": run.trace.trace_id,
            "attempt": run.attempt,
        },
    )
