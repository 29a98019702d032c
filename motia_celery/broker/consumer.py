"""The worker's consumer, and a Step's request: where Celery would lose a message, it is kept."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from billiard.einfo import ExceptionWithTraceback
from celery.exceptions import Retry, TimeLimitExceeded
from celery.worker.consumer import Consumer
from celery.worker.consumer.delayed_delivery import DelayedDelivery
from celery.worker.request import Request
from kombu.asynchronous import get_event_loop, set_event_loop

from motia_celery.broker.feed import Held, let_signals_in
from motia_celery.broker.task_events import events_connection
from motia_celery.broker.topology import declare_delays
from motia_celery.errors import FrameworkError, MessageRejectedError
from motia_celery.model.run import RunError

logger = logging.getLogger("motia_celery.broker")


class StepFailedError(Exception):
    """A run failed for the last time, and its event is among the dead letters already.

    Flower shows its text, which is the handler's own error.
    """


class RetryInPlaceError(Retry):
    """A run of a fifo Step failed: its delivery is kept, and becomes ``attempt`` after ``when``.

    ``carried`` are the headers that tie that attempt to this one.
    """

    def __init__(
        self,
        message: str,
        exc: Exception | None = None,
        when: float = 0,
        attempt: int = 1,
        carried: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, exc, when)
        self.attempt = attempt
        self.carried = carried or {}

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.exc, self.when, self.attempt, self.carried)


class SettledAtOnce:
    """Marks a message that any thread may settle, at once.

    Others wait for Celery's main thread, which waits itself while the worker stops.
    """


class Delays(DelayedDelivery):
    """Celery's bootstep, which lets delayed messages reach all queues, at once."""

    def _setup_delayed_delivery(self, c: Consumer, broker_url: str) -> None:
        with c.app.connection_for_write(url=broker_url) as connection:
            declare_delays(connection, c.app.amqp.queues.values())


class StepConsumer(Consumer):
    """Celery's consumer; an undecodable message goes to the dead letters instead of being acked."""

    class Blueprint(Consumer.Blueprint):
        """Its steps are Celery's."""

        default_steps = tuple(
            Delays if str(step).endswith(":DelayedDelivery") else step
            for step in Consumer.Blueprint.default_steps
        )

    #: Turned off when the worker stops: what comes then goes back to its queue, untouched.
    takes_deliveries = True

    def connection_for_write(self, url: str | None = None, heartbeat: float | None = None) -> Any:
        """The connection of task events, the only thing that a worker's consumer publishes."""
        return self.ensure_connected(events_connection(self.app, url, heartbeat))

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Lets go of a connection that broke; the worker then connects anew."""
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError as error:
            # A broken connection to Redis with runs under way is closed twice, and the second
            # time it has no transport any more. By then it is let go of, which is what counts.
            logger.debug("Closing the broken connection: %r", error)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Rejects the message; Celery's default acknowledges, and so drops, it."""
        self._bury(message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Buries a task message with headers that Celery does not understand."""
        self._bury(message, exc)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Celery's handler of deliveries; what it fails on does not end the worker."""
        self.app.step_consumer = self
        if self.hub is not None:  # kombu forgets its loop each time a connection is lost
            set_event_loop(self.hub)
            let_signals_in(self.hub)
        handle = super().create_task_handler(*args, **kwargs)

        def received(message: Any) -> Any:
            if not self.takes_deliveries:
                return None
            try:
                return handle(message)
            except Exception as error:
                if not self.takes_deliveries:
                    return None  # the worker stopped meanwhile: its pool takes no more
                if message.acknowledged or isinstance(error, self._broker_faults()):
                    raise
                return self._bury(message, error)

        return received

    def call_soon_ack(self, settle: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Has a delivery settled, as soon as its connection allows it."""
        if isinstance(getattr(settle, "__self__", None), SettledAtOnce):
            return settle(*args, **kwargs)
        return super().call_soon_ack(settle, *args, **kwargs)

    def _broker_faults(self) -> tuple[type[BaseException], ...]:
        return (*self.connection_errors, *self.channel_errors)

    def _bury(self, message: Any, error: Exception) -> None:
        logger.error(
            "A task message can not be decoded; it goes to the dead letters: %s",
            error,
            extra={"action": "message.refused"},
        )
        keep = getattr(self.app, "keep_refused", None)
        if keep is not None:
            keep(message, MessageRejectedError(f"{type(error).__name__}: {error}"))
            message.ack_log_error(logger, self.connection_errors)
        else:
            message.reject_log_error(logger, self.connection_errors)


class StepRequest(Request):
    """One delivery for a Step."""

    acknowledged: bool
    _fault = RunError("Rejected", "the worker could not run it.")

    def __init__(
        self,
        message: Any,
        *args: Any,
        connection_errors: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        # What an acknowledgement on a connection that is gone raises; on Redis also this one.
        faults = (*(connection_errors or ()), AttributeError)
        super().__init__(message, *args, connection_errors=faults, **kwargs)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> Any:
        """Acknowledges a run whose event was already buried, before Celery reports the failure."""
        error = _raised(exc_info)
        if isinstance(error, StepFailedError):
            self.acknowledge()
        elif isinstance(error, TimeLimitExceeded):
            self._past_limit(error.args[0] if error.args else None)
        elif error is not None:
            self._fault = RunError(type(error).__name__, str(error))
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def on_retry(self, exc_info: Any) -> Any:
        """Keeps the delivery of a fifo Step, whose group waits for it."""
        error = _raised(exc_info)
        if isinstance(error, RetryInPlaceError) and isinstance(self.message, Held):
            self.message.again(error.attempt, error.when, error.carried)
            self.acknowledged = True  # Celery must not: the message is still in hand
        return super().on_retry(exc_info)

    def send_event(self, type: str, **fields: Any) -> Any:
        """Sends a task event (what Flower shows), always from the consumer's own thread.

        That thread reads the events' connection too: a confirm that another thread waits for
        would be read, and lost, there, and the waiting thread, with all its handlers, would hang.
        """
        send = partial(super().send_event, type, **fields)
        hub = get_event_loop()
        if hub is None or threading.current_thread() is threading.main_thread():
            return send()
        return hub.call_soon(send)

    def on_timeout(self, soft: bool, timeout: float) -> Any:
        """Makes a dead letter of a run past its hard limit; Celery would run it again and again."""
        if not soft:
            self._past_limit(timeout)
        return super().on_timeout(soft, timeout)

    def _past_limit(self, seconds: Any) -> None:
        limit = f" of {seconds:g} s" if isinstance(seconds, (int, float)) else ""
        self._fault = RunError(
            TimeLimitExceeded.__name__, f"the process was ended at Celery's hard time limit{limit}."
        )
        self.reject()

    def reject(self, requeue: bool = False) -> Any:
        """Rejects the delivery; what is not to come back becomes a dead letter that says why."""
        if requeue:
            return super().reject(requeue)
        if not self.acknowledged:
            self.acknowledged = True  # for Celery it is settled; it is, once the letter is safe
            self._bury()
        return None

    def _bury(self) -> None:
        """Publishes the dead letter without holding up the worker's loop."""
        try:
            buried = self.task.bury(self.args, self.kwargs, self.request_dict, self._fault)
        except FrameworkError as error:
            logger.error("%s", error, extra={"action": "message.refused"})
            self._settle(None)
            return
        hub = get_event_loop()
        if hub is None:
            self._settle(buried)
        else:
            buried.add_done_callback(lambda done: hub.call_soon(partial(self._settle, done)))

    def _settle(self, buried: Future[None] | None) -> None:
        if buried is not None and buried.exception() is None:
            self.message.ack_log_error(logger, self.connection_errors)
        elif getattr(self.app, "keep_refused", None) is None:
            self.message.reject_log_error(logger, self.connection_errors)
        # Without dead letters of the broker's own it stays unacknowledged, and comes back.


def _raised(exc_info: Any) -> BaseException | None:
    error: BaseException | None = exc_info.exception
    # Celery may wrap the exception to carry its traceback between processes.
    return error.exc if isinstance(error, ExceptionWithTraceback) else error
