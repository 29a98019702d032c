"""The Celery app of a Step app: one task and one queue for each Step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery

from motia_celery.broker import wire
from motia_celery.broker.beat_settings import redbeat_settings
from motia_celery.broker.connection import tls_options, transport_options
from motia_celery.broker.delivery import EVENT_TASK
from motia_celery.broker.direct.events import TaskEventStream
from motia_celery.broker.direct.feed import DirectFeeds
from motia_celery.broker.feed import StepAMQP
from motia_celery.broker.feeds import Feeds
from motia_celery.broker.forward import Forwarder
from motia_celery.broker.gate import Gate
from motia_celery.broker.once import Once
from motia_celery.broker.publisher import Publisher
from motia_celery.broker.queue import Forward, Refused, StepQueue, step_queue
from motia_celery.broker.relay_queue import relay_queue
from motia_celery.broker.shutdown import StepCelery
from motia_celery.broker.task import Invoke, StepTask, StepWork
from motia_celery.broker.task_events import TaskEvents
from motia_celery.broker.wire import Message
from motia_celery.errors import MessageRejectedError
from motia_celery.model.redaction import Redaction
from motia_celery.model.step import DEFAULT_VISIBILITY_SECONDS, Step
from motia_celery.observe.recorder import Recorder
from motia_celery.plan import Plan
from motia_celery.settings import Settings
from motia_celery.stores.order import Order

POOLS = {
    "async": "motia_celery.broker.pool:TaskPool",
    "threads": "threads",
    "prefork": "prefork",
}


def create_celery(
    settings: Settings,
    plan: Plan,
    *,
    invoke: Invoke,
    publisher: Callable[[], Publisher],
    gate: Callable[[], Gate],
    once: Callable[[], Once],
    order: Callable[[], Order],
    recorder: Callable[[], Recorder],
) -> Celery:
    """A Celery app that serves the Plan.

    ``invoke`` runs a handler; ``publisher``, ``gate``, ``once``, ``order`` and ``recorder`` give
    this process's own when they are needed, so that making the app connects to nothing.
    """
    app = StepCelery("motia_celery", set_as_current=True, events=TaskEvents, amqp=StepAMQP)
    feeds = Feeds(settings, plan.names, publisher)
    app.direct_feeds = DirectFeeds(
        settings, app, TaskEventStream(app, Redaction(settings.redact_keys))
    )
    app.open_feed = lambda queue, deliver: (app.direct_feeds if queue.direct else feeds).open(
        queue, deliver
    )
    keeper = None if settings.uses_rabbitmq else _Keeper(plan, publisher)
    refused, forward = keeper.refused if keeper else None, Forwarder(publisher)
    app.conf.update(celery_settings(settings, plan, refused, forward))
    app.conf.update(redbeat_settings(settings))
    # Read by our consumer and requests; absent where the broker keeps dead letters itself.
    app.keep_refused = keeper.keep if keeper else None
    for step in plan.steps:
        queue = plan.topology.by_step.get(step.name)
        if queue is not None:
            work = StepWork(
                step=step,
                queue=queue,
                invoke=invoke,
                publisher=publisher,
                gate=gate,
                once=once,
                order=order,
                recorder=recorder,
            )
            options = {
                "name": queue.task,
                "queue": queue.name,
                "priority": step.queue.priority,
                "work": work,
            }
            app.register_task(type("StepTask", (StepTask,), options)())
    return app


def celery_settings(
    settings: Settings, plan: Plan, refused: Refused | None, forward: Forward | None = None
) -> dict[str, Any]:
    """Celery's configuration for these settings."""
    amqp = settings.uses_rabbitmq
    names = plan.names
    return {
        "broker_url": settings.broker,
        "broker_use_ssl": tls_options(settings),
        "broker_transport_options": transport_options(settings) | _delivery_options(plan, amqp),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # RabbitMQ closes the channel of a run that is longer than its consumer timeout: the worker
        # connects anew, where Celery's default ends it with all its other runs.
        "broker_channel_error_retry": True,
        # Opened when needed, which is for remote control only: `inspect` holds one connection
        # while it takes another, and Flower asks eight questions at once.
        "broker_pool_limit": 16,
        "broker_heartbeat": 30,
        "task_queues": [
            *task_queues(settings, plan, refused, forward),
            *([relay_queue(names, forward)] if amqp else ()),
        ],
        "task_routes": {queue.task: {"queue": queue.name} for queue in plan.topology.queues},
        "task_default_queue": names.default_queue,
        "task_default_queue_type": "quorum" if amqp else "classic",
        "task_default_exchange_type": "topic",
        "task_default_delivery_mode": 2,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json", EVENT_TASK],
        "control_exchange": f"{settings.prefix}.control",
        "event_exchange": f"{settings.prefix}.celeryev",
        "event_queue_prefix": f"{settings.prefix}.celeryev",
        # RabbitMQ 4.3 refuses queues that are neither durable nor exclusive.
        "control_queue_exclusive": True,
        "event_queue_exclusive": True,
        "worker_consumer": "motia_celery.broker.consumer:StepConsumer",
        "worker_pool": POOLS[settings.pool],
        "worker_concurrency": settings.slots,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_send_task_events": settings.task_events,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_soft_shutdown_timeout": settings.soft_shutdown_seconds,
        "timezone": "UTC",
        "enable_utc": True,
    }


def _delivery_options(plan: Plan, amqp: bool) -> dict[str, Any]:
    """Confirms on RabbitMQ. On Redis, when an unacknowledged delivery is given to another worker:
    once no Step's own ``visibilityTimeout`` is left, since the transport has one for all.
    """
    if amqp:
        return {"confirm_publish": True}
    timeouts = [t.queue.visibility_timeout_seconds for step in plan.steps for t in step.events]
    return {"visibility_timeout": max([DEFAULT_VISIBILITY_SECONDS, *timeouts])}


def task_queues(
    settings: Settings,
    plan: Plan,
    refused: Refused | None = None,
    forward: Forward | None = None,
) -> list[StepQueue]:
    """The queue of every Step."""
    steps = {step.name: step for step in plan.steps}
    redaction = Redaction(settings.redact_keys)
    return [
        step_queue(
            queue,
            plan.names,
            amqp=settings.uses_rabbitmq,
            prefetch=_prefetch(settings, steps[queue.step]),
            limit_bytes=settings.event_limit_bytes,
            refused=refused,
            forward=forward,
            direct=takes_direct_path(settings),
            redaction=redaction,
        )
        for queue in plan.topology.queues
    ]


def takes_direct_path(settings: Settings) -> bool:
    """Whether events go past Celery's own request and tracer."""
    return settings.direct and settings.uses_rabbitmq and settings.pool == "async"


def _prefetch(settings: Settings, step: Step) -> int:
    """How many deliveries a worker holds: for a limited Step not many more than may begin."""
    options, most = step.queue, settings.prefetch_count
    if options.concurrency is not None and options.concurrency_key is None:
        most = min(most, 2 * options.concurrency)
    if options.rate is not None:
        most = min(most, 1 + round(options.rate.count / options.rate.seconds))
    return most


def queue_names(
    plan: Plan, steps: Sequence[str] = (), exclude: Sequence[str] = (), flows: Sequence[str] = ()
) -> list[str]:
    """The queues of the chosen Steps; with nothing chosen, of all of them."""
    wanted = [step for step in plan.steps if step.name in plan.topology.by_step]
    if steps or flows:
        wanted = [s for s in wanted if s.name in steps or set(s.flows) & set(flows)]
    return [plan.topology.by_step[s.name].name for s in wanted if s.name not in exclude]


def own_queues(settings: Settings, plan: Plan) -> list[str]:
    """The queues beside the Steps' that every worker consumes."""
    return [plan.names.relay] if settings.uses_rabbitmq else []


class _Keeper:
    """Dead letters on a broker that has none of its own: published, then acknowledged."""

    def __init__(self, plan: Plan, publisher: Callable[[], Publisher]) -> None:
        self._queue = plan.names.dead_letter_queue
        self._publisher = publisher

    def refused(self, raw: Any, error: MessageRejectedError) -> None:
        """Takes a delivery that the consumer hook refused."""
        self.keep(raw, error)
        raw.ack()

    def keep(self, message: Any, error: MessageRejectedError) -> None:
        """Publishes a copy of the message to the dead-letter queue."""
        body = message.body
        info = message.delivery_info or {}
        self._publisher().publish_blocking(
            Message(
                exchange="",
                routing_key=self._queue,
                body=body.encode() if isinstance(body, str) else bytes(body),
                headers={
                    **{n: v for n, v in (message.headers or {}).items() if n != wire.BODY},
                    **wire.refusal_headers(error, error.where or str(info.get("routing_key", ""))),
                    wire.CONTENT_TYPE_WAS: str(message.content_type or ""),
                    wire.CONTENT_ENCODING_WAS: str(message.content_encoding or ""),
                },
                properties={
                    name: message.properties[name]
                    for name in ("message_id", "correlation_id", "timestamp")
                    if message.properties.get(name)
                },
            )
        )
