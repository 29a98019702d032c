"""Taking an app off its broker for good: its queues with all that they hold, its exchanges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from amqp.exceptions import NotFound

from motia_celery.broker.connection import broker_errors, open_connection
from motia_celery.plan.topology import Names, Topology, partition_names
from motia_celery.settings import Settings


def remove_topology(settings: Settings, topology: Topology, partitions: Mapping[str, int]) -> None:
    """Deletes every queue and exchange of the settings' prefix; what they hold is lost.

    ``partitions`` is how many each queue has. On Redis there is nothing to do: queues are keys.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    if not settings.uses_rabbitmq:
        return
    with broker_errors(settings), open_connection(settings) as connection:
        connection.ensure_connection(max_retries=2)
        for queue in _queues(topology, partitions):
            with suppress(NotFound), connection.channel() as channel:
                channel.queue_delete(queue)
        for exchange in _exchanges(topology.names):
            with suppress(NotFound), connection.channel() as channel:
                channel.exchange_delete(exchange)


def _queues(topology: Topology, partitions: Mapping[str, int]) -> Iterator[str]:
    for plan in topology.queues:
        yield plan.name
        yield from partition_names(plan.name, partitions.get(plan.name, plan.partitions))
    yield from (topology.names.relay, topology.names.dead_letter_queue)
    yield topology.names.default_queue


def _exchanges(names: Names) -> Iterator[str]:
    yield from (names.events, names.steps, names.dead_letter_exchange, names.default_queue)
    for name in ("control", "celeryev"):
        yield from (f"{names.prefix}.{name}", f"{names.prefix}.{name}.pidbox")
        yield f"reply.{names.prefix}.{name}.pidbox"
