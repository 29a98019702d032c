"""The same metrics for OpenTelemetry, where its own variables ask for them.

The SDK is imported when they do, in the process that measures, after any fork.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from motia_celery.observe.metrics import COUNTED, Meter, Metric

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricExporter

logger = logging.getLogger("motia_celery.metrics")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def chosen_exporter(environ: Mapping[str, str]) -> str | None:
    """``otlp`` or ``console``, as the variables say; None for none."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    named = environ.get("OTEL_METRICS_EXPORTER", "").strip().lower()
    if not named:
        return "otlp" if any(environ.get(name) for name in _ENDPOINTS) else None
    return next((one for one in named.split(",") if one in ("otlp", "console")), None)


class Export:
    """Exports what a meter counts, where the variables ask for it.

    ``service`` names the app unless ``OTEL_SERVICE_NAME`` does.
    """

    def __init__(self, meter: Meter, environ: Mapping[str, str], service: str) -> None:
        self._meter = meter
        self._chosen = chosen_exporter(environ)
        self._service = environ.get("OTEL_SERVICE_NAME") or service
        self._backlog: list[tuple[Metric, float, tuple[str, ...]]] = []
        self._provider: MeterProvider | None = None

    def begin(self) -> None:
        """Keeps what is counted until :meth:`start` is done, which takes a while."""
        if self._chosen is not None:
            self._meter.listener = lambda *counted: self._backlog.append(counted)

    def start(self) -> None:
        """Imports the SDK and exports from here on; blocks."""
        exporter = _exporter(self._chosen)
        if exporter is None:
            self._meter.listener = None
            return
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource

        self._provider = MeterProvider(
            metric_readers=[PeriodicExportingMetricReader(exporter)],
            resource=Resource.create({"service.name": self._service}),
            shutdown_on_exit=False,
        )
        listener = _listener(self._provider.get_meter("motia_celery"), self._meter)
        self._meter.listener = listener
        while self._backlog:
            listener(*self._backlog.pop(0))

    def stop(self) -> None:
        """Exports what is left, and ends."""
        self._meter.listener = None
        if self._provider is not None:
            self._provider.shutdown()


def _exporter(chosen: str | None) -> MetricExporter | None:
    if chosen is None:
        return None
    if chosen == "console":
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

        return ConsoleMetricExporter()
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    except ImportError:
        logger.warning(
            "Metrics are not exported: pip install 'motia-celery[otlp]'",
            extra={"action": "metrics.no_exporter"},
        )
        return None
    return OTLPMetricExporter()


def _listener(provider: Any, meter: Meter) -> Callable[[Metric, float, tuple[str, ...]], None]:
    """Passes each count on to its instrument."""
    records = {metric.name: _instrument(provider, metric) for metric in COUNTED}
    for metric, read in meter.gauges.items():
        _observe(provider, metric, read)

    def listen(metric: Metric, value: float, labels: tuple[str, ...]) -> None:
        attributes = {
            f"motia.{name}": label for name, label in zip(metric.labels, labels, strict=True)
        }
        records[metric.name](value, attributes)

    return listen


def _instrument(provider: Any, metric: Metric) -> Callable[[float, Mapping[str, str]], None]:
    name = _otel_name(metric)
    if metric.kind == "counter":
        adding: Callable[[float, Mapping[str, str]], None] = provider.create_counter(
            name, unit="1", description=metric.help
        ).add
        return adding
    recording: Callable[[float, Mapping[str, str]], None] = provider.create_histogram(
        name,
        unit="s",
        description=metric.help,
        explicit_bucket_boundaries_advisory=metric.bounds,
    ).record
    return recording


def _observe(provider: Any, metric: Metric, read: Callable[[], int]) -> None:
    from opentelemetry.metrics import Observation

    provider.create_observable_gauge(
        _otel_name(metric),
        callbacks=[lambda _: [Observation(read())]],
        description=metric.help,
    )


def _otel_name(metric: Metric) -> str:
    """``motia_celery.runs`` for ``motia_celery_runs_total``: units and kinds are fields there."""
    name = metric.name.removeprefix("motia_celery_")
    return f"motia_celery.{name.removesuffix('_total').removesuffix('_seconds')}"
