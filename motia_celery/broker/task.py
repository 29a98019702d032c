"""A Step as a Celery task: a delivery becomes a run, which ends in an ack, a retry or a burial."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from celery import Task
from celery.exceptions import Reject, Retry, SoftTimeLimitExceeded, TimeLimitExceeded

from motia_celery.broker import wire
from motia_celery.broker.consumer import RetryInPlaceError, StepFailedError
from motia_celery.broker.loop import wait_for
from motia_celery.broker.publisher import Publisher
from motia_celery.errors import FrameworkError
from motia_celery.model.event import Event
from motia_celery.model.retry import TryAgain, decide
from motia_celery.model.run import Outcome, Run, RunError, Success, TriggerType
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace
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
    order: Callable[[], Order]


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
        except _CUT_SHORT as error:
            name = type(error).__name__
            fault = RunError(name, "the run was cut short.", names=(name,))
            wait_for(self._after_failure(delivery, fault))

    async def _recalled(self, delivery: _Delivered) -> _Delivered:
        """The delivery as the attempt that it had come to before its worker was killed."""
        attempt = await self.work.order().recall(delivery.run.id)
        if attempt <= delivery.run.attempt:
            return delivery
        return replace(delivery, run=replace(delivery.run, attempt=attempt))

    async def _attempt(self, delivery: _Delivered) -> None:
        if self.work.queue.partitions:
            outcome = await self._run_in_order(delivery)
        else:
            outcome = await self.work.invoke(delivery.run)
        if not isinstance(outcome, Success):
            await self._after_failure(delivery, outcome.error)

    async def _run_in_order(self, delivery: _Delivered) -> Outcome:
        run, group, order = delivery.run, self._group(delivery.run), self.work.order()
        async with order.alone(group):
            if delivery.redelivered and await order.has_finished(group, run.id):
                return Success()
            outcome = await self.work.invoke(run)
            # Not so of a dead letter: it may be replayed, as the same run.
            if isinstance(outcome, Success):
                await order.finish(group, run.id)
        return outcome

    def _group(self, run: Run) -> str | None:
        """The group of a fifo Step's run, among those of all Steps."""
        queue = self.work.queue
        return f"{queue.name}:{run.group}" if queue.partitions and run.group else None

    async def _after_failure(self, delivery: _Delivered, error: RunError) -> None:
        run, step = delivery.run, self.work.step
        decision = decide(step.retry, run.attempt, error.names)
        try:
            if isinstance(decision, TryAgain):
                await self._again(delivery, error, decision.delay_seconds)
            await self.work.publisher().bury(
                delivery.event, self.work.queue, error, run_id=run.id, attempts=run.attempt
            )
        except FrameworkError as fault:
            # Neither the retry nor the dead letter is safe with the broker: keep the delivery.
            raise Reject(str(fault), requeue=True) from None
        _log_failure(run, error, "Failed for the last time; its event is a dead letter")
        raise StepFailedError(str(error))

    async def _again(self, delivery: _Delivered, error: RunError, delay_seconds: float) -> None:
        if self.work.queue.partitions:
            await self._again_in_place(delivery.run, error, delay_seconds)
        await self.work.publisher().send(
            delivery.event,
            self.work.queue,
            run_id=delivery.run.id,
            attempt=delivery.run.attempt + 1,
            delay_seconds=delay_seconds,
        )
        _log_failure(delivery.run, error, f"Failed; tries again in {delay_seconds:.1f} s")
        raise Retry(str(error), exc=StepFailedError(str(error)), when=delay_seconds)

    async def _again_in_place(self, run: Run, error: RunError, delay_seconds: float) -> None:
        """Keeps the delivery: published again, the event would stand behind its group's others."""
        await self.work.order().remember(run.id, run.attempt + 1)
        _log_failure(
            run, error, f"Failed; its group waits, and tries again in {delay_seconds:.1f} s"
        )
        raise RetryInPlaceError(
            str(error), StepFailedError(str(error)), delay_seconds, run.attempt + 1
        )


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A delivery as the run to do, and the event to send on if it fails."""

    run: Run
    event: Event
    redelivered: bool


def _delivered(task: StepTask, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Delivered:
    request, step = task.request, task.work.step
    data = args[0] if args else (kwargs or None)
    topic = request.get(wire.TOPIC) or ""
    trace = Trace.from_header(request.get(wire.TRACEPARENT)) or Trace.start()
    trigger: TriggerType = "cron" if step.crons and not topic else "event"
    run = Run(
        id=request.id,
        step=step.name,
        trigger=trigger,
        input=data,
        trace=trace.child(),
        flows=step.flows,
        topic=topic or None,
        group=request.get(wire.GROUP),
        root_id=request.get(wire.ROOT),
        attempt=request.retries + 1,
        max_attempts=step.retry.max_attempts,
    )
    event = Event(
        topic=topic,
        data=data,
        id=request.get(wire.EVENT) or request.id,
        trace=trace,
        root_id=request.get(wire.ROOT),
        parent_id=request.get(wire.PARENT),
        group=request.get(wire.GROUP),
    )
    return _Delivered(run, event, bool(request.delivery_info.get("redelivered")))


def _log_failure(run: Run, error: RunError, what: str) -> None:
    logger.warning(
        "%s: %s%s",
        what,
        error,
        f" ({error.where})" if error.where else "",
        extra={
            "action": "run.failed",
            "step": run.step,
            "run_id": run.id,
            "trace_id": run.trace.trace_id,
            "attempt": run.attempt,
        },
    )
