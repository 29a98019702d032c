"""Whether this process makes spans, and where they go: what the ``OTEL_*`` variables ask for.

Without one of them, and without a tracer provider of the user's own, no span is made, the SDK is
not imported, and nothing leaves the machine. The SDK starts with the first span, so that a worker's
children start it after the fork.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from motia_celery.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from motia_celery.plan.topology import Names

logger = logging.getLogger("motia_celery.tracing")

SCOPE = "motia_celery"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
#: How long a process that ends waits for its last spans to be taken.
FLUSH_SECONDS = 3.0
LOOK_SECONDS = 1.0

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_BY_PROTOCOL = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
_PACKAGES = {
    "otlp_proto_http": "'motia-celery[otlp]'",
    "otlp_proto_grpc": "opentelemetry-exporter-otlp-proto-grpc",
}


@dataclass
class _Process:
    """What is known of tracing in this process; a forked child inherits it."""

    service: str = "motia"
    system: str = "rabbitmq"
    names: Names | None = None
    tracer: trace.Tracer | None = None
    provider: TracerProvider | None = None
    looks_at: float = 0
    gave_up: bool = False
    has_ended: bool = False


_process = _Process()
_starting = threading.Lock()


def configure(role: str, names: Names, *, uses_rabbitmq: bool) -> None:
    """Tells what the spans of this process say of it: its app, its role, and its broker.

    An exporter that is asked for and not installed is reported now.
    """
    global _process
    system = "rabbitmq" if uses_rabbitmq else "redis"
    _process = _Process(service=f"{names.prefix}-{role}", system=system, names=names)
    try:
        _entry_points(os.environ)
    except SettingsError as error:
        _give_up(error)


def tracer() -> trace.Tracer | None:
    """The tracer of this process, started if need be; None while nobody wants spans.

    A provider that the user's code installs late is found within :data:`LOOK_SECONDS`.
    """
    if (found := _process.tracer) is not None:
        return found
    if time.monotonic() < _process.looks_at or _process.has_ended:
        return None
    return _start()


def running() -> trace.Tracer | None:
    """The tracer, if it was started."""
    return _process.tracer


def start() -> None:
    """Starts the SDK where it is wanted; without this the first span does so, which takes long."""
    tracer()


def system() -> str:
    """The broker, as ``messaging.system`` names it."""
    return _process.system


def names() -> Names | None:
    """The broker's exchanges and queues."""
    return _process.names


def stop() -> None:
    """Sends the spans that wait, for as long as :data:`FLUSH_SECONDS` at most."""
    current = _process
    if current.tracer is None:
        return
    if current.provider is not None:
        current.tracer, current.has_ended = None, True
        _within(FLUSH_SECONDS, current.provider.shutdown)
        return
    # A provider of the user's own goes on; Celery's children end without its exit handlers.
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if callable(flush):
        _within(FLUSH_SECONDS, flush)


def _within(seconds: float, call: Callable[[], Any]) -> None:
    """Calls, and waits no longer than this: an exporter may try again for half a minute."""

    def run() -> None:
        with suppress(Exception):
            call()

    thread = threading.Thread(target=run, name="spans", daemon=True)
    thread.start()
    thread.join(seconds)


def _has_no_provider() -> bool:
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _start() -> trace.Tracer | None:
    with _starting:
        if _process.tracer is not None:
            return _process.tracer
        try:
            if not _process.gave_up and _has_no_provider():
                _install()
        except Exception as error:  # spans are never worth a run
            _give_up(error)
        if _has_no_provider():
            _process.looks_at = time.monotonic() + LOOK_SECONDS
            return None
        _process.tracer = trace.get_tracer(SCOPE, version("motia-celery"), schema_url=SCHEMA_URL)
        return _process.tracer


def _give_up(error: Exception) -> None:
    _process.gave_up = True
    logger.error("No spans are made: %s", error, extra={"action": "tracing.off"})


def _install() -> None:
    """Makes a provider for the exporters that are asked for, if any, and makes it the global."""
    if exporters := [load() for load in _exporters(os.environ)]:
        _process.provider = provider = _provider(exporters)
        trace.set_tracer_provider(provider)
        atexit.register(stop)


def _provider(exporters: list[SpanExporter]) -> TracerProvider:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _resource() -> Any:
    """The SDK's own resource, named after the app and the role unless a variable names it."""
    from opentelemetry.sdk.resources import Resource

    found = Resource.create()
    if not str(found.attributes.get("service.name", "")).startswith("unknown_service"):
        return found
    return found.merge(Resource({"service.name": _process.service}))


def wanted_exporters(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the exporters that the variables ask for; mostly none."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    listed = environ.get("OTEL_TRACES_EXPORTER", "").split(",")
    names = tuple(name for part in listed if (name := part.strip().lower()))
    if names:
        return () if "none" in names else names
    return ("otlp",) if any(environ.get(name, "").strip() for name in _ENDPOINTS) else ()


def _exporters(environ: Mapping[str, str]) -> list[Callable[[], SpanExporter]]:
    return [point.load() for point in _entry_points(environ)]


def _entry_points(environ: Mapping[str, str]) -> list[EntryPoint]:
    """Where the exporters are.

    Raises:
        SettingsError: one of them is not installed.
    """
    return [_entry_point(name, environ) for name in wanted_exporters(environ)]


def _entry_point(exporter: str, environ: Mapping[str, str]) -> EntryPoint:
    name = _otlp(environ) if exporter == "otlp" else exporter
    for point in entry_points(group="opentelemetry_traces_exporter", name=name):
        return point
    package = _PACKAGES.get(name, "the package that provides it")
    raise SettingsError(
        f"the exporter {exporter!r} is asked for, and is not installed.",
        "OTEL_TRACES_EXPORTER" if "OTEL_TRACES_EXPORTER" in environ else _ENDPOINTS[1],
        f"Type: pip install {package}. OTEL_TRACES_EXPORTER=none turns spans off.",
    )


def _otlp(environ: Mapping[str, str]) -> str:
    """The exporter of OTLP's protocol, by default the one that needs no compiled gRPC."""
    chosen = next((v for name in _PROTOCOLS if (v := environ.get(name, "").strip())), "")
    try:
        return _BY_PROTOCOL[chosen or "http/protobuf"]
    except KeyError:
        raise SettingsError(
            f"{chosen!r} is no protocol of OTLP that spans can be sent by.",
            _PROTOCOLS[1],
            "Set http/protobuf or grpc.",
        ) from None
