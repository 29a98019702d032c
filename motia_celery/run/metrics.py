"""``/metrics``: what all processes counted, and what the queues hold, as Prometheus reads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from motia_celery.broker.depths import DepthReader, Depths
from motia_celery.errors import BrokerUnavailableError, StoreUnavailableError
from motia_celery.observe.exposition import CONTENT_TYPE, Sample, counted, gauge
from motia_celery.observe.metrics import COUNTED, STREAM_SOCKETS, Metric
from motia_celery.plan import Plan
from motia_celery.run.responses import Response
from motia_celery.stores.metrics import MetricStore, Totals

#: Scrapers come from several places at once; the servers are asked no more often than this.
PAUSE_SECONDS = 1.0

UP = Metric(
    name="motia_celery_up",
    kind="gauge",
    help="Whether the server answers: broker and store.",
    labels=("server",),
)
READY = Metric(
    name="motia_celery_queue_messages_ready",
    kind="gauge",
    help="Messages in a Step's queue that no worker has taken.",
    labels=("step",),
)
CONSUMERS = Metric(
    name="motia_celery_queue_consumers",
    kind="gauge",
    help="Workers that take messages from a Step's queue.",
    labels=("step",),
)
OLDEST = Metric(
    name="motia_celery_queue_oldest_seconds",
    kind="gauge",
    help="How long the oldest message in a Step's queue has waited, or can have at most.",
    labels=("step",),
)
LAST_WAIT = Metric(
    name="motia_celery_last_run_wait_seconds",
    kind="gauge",
    help="How long the run of a Step that began last had waited.",
    labels=("step",),
)
DEAD_LETTERS = Metric(
    name="motia_celery_dead_letters", kind="gauge", help="Dead letters of all Steps."
)


@dataclass(frozen=True, slots=True)
class Stand:
    """How things stand now; None for what did not answer."""

    totals: Totals | None
    depths: Depths | None


def look(store: MetricStore, queues: DepthReader) -> Stand:
    """Asks both servers."""
    totals: Totals | None = None
    with suppress(StoreUnavailableError):
        totals = store.read()
    try:
        return Stand(totals, queues.read())
    except (BrokerUnavailableError, StoreUnavailableError):
        return Stand(totals, None)


class MetricsPage:
    """Writes the page. Its methods block; it may be called from any thread."""

    def __init__(self, plan: Plan, sources: Callable[[], tuple[MetricStore, DepthReader]]) -> None:
        self._plan = plan
        self._open = sources
        self._sources: tuple[MetricStore, DepthReader] | None = None
        self._looking = threading.Lock()
        self._looked = -PAUSE_SECONDS
        self._body = b""

    def response(self) -> Response:
        """The page, at most a second old."""
        with self._looking:
            if time.monotonic() - self._looked >= PAUSE_SECONDS:
                self._sources = self._sources or self._open()
                stand = look(*self._sources)
                self._body = "\n".join((*self._lines(stand), "")).encode()
                self._looked = time.monotonic()
            return Response(200, self._body, ((b"content-type", CONTENT_TYPE.encode()),))

    def _lines(self, stand: Stand) -> Iterator[str]:
        up = {"broker": stand.depths is not None, "store": stand.totals is not None}
        yield from gauge(UP, (Sample((name,), int(value)) for name, value in up.items()))
        if stand.totals is not None:
            yield from self._counted(stand.totals)
        if stand.depths is not None:
            yield from self._queues(stand.depths)

    def _counted(self, totals: Totals) -> Iterator[str]:
        steps = {step.name for step in self._plan.steps}
        # What a Step counted that is gone is kept, in case that it comes back, but not told.
        known = {k: n for k, n in totals.counts.items() if len(k) < 2 or k[1] in steps}
        yield from counted(COUNTED, known)
        waits = {s: (began - sent) / 1000 for s, (sent, began) in totals.started.items()}
        yield from gauge(
            LAST_WAIT, (Sample((s,), max(0.0, wait)) for s, wait in waits.items() if s in steps)
        )
        sockets = totals.gauges.get(STREAM_SOCKETS.name, {})
        yield from gauge(STREAM_SOCKETS, (Sample((who,), n) for who, n in sockets.items()))

    def _queues(self, depths: Depths) -> Iterator[str]:
        queues = depths.steps.items()
        yield from gauge(READY, (Sample((step,), depth.ready) for step, depth in queues))
        yield from gauge(
            CONSUMERS,
            (Sample((s,), depth.consumers) for s, depth in queues if depth.consumers is not None),
        )
        ages = ((step, depth.oldest_seconds) for step, depth in queues)
        yield from gauge(OLDEST, (Sample((step,), age) for step, age in ages if age is not None))
        yield from gauge(DEAD_LETTERS, [Sample((), depths.dead_letters.ready)])
