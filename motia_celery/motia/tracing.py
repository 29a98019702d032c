"""Spans of a handler's own, in the trace of its run. They go where the app's spans go.

While nobody asks for spans, each of these does nothing and gives None.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate
from opentelemetry import trace as otel
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from motia_celery.context.current import current_context
from motia_celery.errors import ConfigError
from motia_celery.observe import tracing


def get_tracer() -> Tracer | None:
    """The tracer."""
    return tracing.tracer()


def get_trace_id_from_span() -> str | None:
    """The trace id of the run under way; outside of a run, of the span that is current."""
    try:
        return current_context().trace_id
    except ConfigError:
        place = otel.get_current_span().get_span_context()
        return otel.format_trace_id(place.trace_id) if place.is_valid else None


def inject_context() -> dict[str, str]:
    """The headers by which another service goes on in this trace."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def extract_parent_context(traceparent: str | None, baggage: str | None = None) -> Any:
    """OpenTelemetry's context of these headers."""
    headers = {"traceparent": traceparent, "baggage": baggage}
    given = {name: value for name, value in headers.items() if value}
    return propagate.extract(given) if traceparent else None


@contextmanager
def operation_span(operation: str, **attributes: Any) -> Iterator[Span | None]:
    """A span of what is done inside; an error that leaves it is recorded."""
    tracer = tracing.tracer()
    if tracer is None:
        yield None
        return
    given = {name: value for name, value in attributes.items() if value is not None}
    with tracer.start_as_current_span(operation, attributes=given) as span:
        yield span


def record_exception(span: Span | None, exc: Exception) -> None:
    """Notes an error in the span, which has failed."""
    if span is not None:
        span.set_status(Status(StatusCode.ERROR, str(exc)))
        span.record_exception(exc)


def set_span_ok(span: Span | None) -> None:
    """Notes that the span has done what it was to do."""
    if span is not None:
        span.set_status(Status(StatusCode.OK))
