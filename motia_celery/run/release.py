"""Release: brings the broker to the Plan once at a deploy, before the new processes start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motia_celery.broker.connection import broker_errors, open_connection
from motia_celery.broker.repartition import release_partitions
from motia_celery.broker.topology import release as release_topology
from motia_celery.stores.partitions import PartitionCounts
from motia_celery.stores.redis import connect_sync
from motia_celery.stores.released import ReleasedBindings

if TYPE_CHECKING:
    from motia_celery.plan import Plan
    from motia_celery.settings import Settings


def release(settings: Settings, plan: Plan) -> list[str]:
    """Declares the topology, and takes away what earlier plans left; gives a line for each change.

    Raises:
        QueueConflictError: a queue must be replaced while workers consume from it.
        BrokerUnavailableError: the broker does not answer.
        StoreUnavailableError: Redis does not answer.
    """
    with connect_sync(settings) as client:
        released = ReleasedBindings(client, settings.prefix)
        before = released.read()
        with broker_errors(settings), open_connection(settings) as connection:
            connection.ensure_connection(max_retries=2)
            done, bindings = release_topology(connection, plan.topology, settings, before)
            counts = PartitionCounts(client, settings.prefix)
            done += release_partitions(connection, plan.topology, counts)
        released.write(bindings)
    return done
