"""The spans of an app: of requests, attempts and emits, and of what handlers do to their stores.

Each of them is current while it is entered, with the trace's baggage, so that a handler's own
OpenTelemetry code goes on from it. While nobody wants spans (:mod:`motia_celery.observe.tracing`),
what is current is the place in the trace alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Token
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from opentelemetry import baggage
from opentelemetry import trace as otel
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode

from motia_celery.model.event import Event
from motia_celery.model.run import Failure, Outcome, Run, RunError
from motia_celery.model.trace import BAGGAGE, Trace, read_baggage
from motia_celery.observe import attributes, tracing
from motia_celery.observe.attributes import Attributes

logger = logging.getLogger("motia_celery.tracing")

_BAGGAGE = W3CBaggagePropagator()
_QUIET: AbstractContextManager[None] = nullcontext()
#: Where OpenTelemetry's context keeps the span.
(_SPAN_KEY,) = otel.set_span_in_context(otel.INVALID_SPAN, Context())


class PlaceSpan(NonRecordingSpan):
    """Stands for a span where none is made: it has a place in a trace, and records nothing."""

    def __init__(self, place: Trace, *, is_remote: bool = False) -> None:
        self._place = place
        self._is_remote = is_remote

    def get_span_context(self) -> SpanContext:
        """The place, as OpenTelemetry has it."""
        return span_context(self._place, is_remote=self._is_remote)


def span_context(place: Trace, *, is_remote: bool = True) -> SpanContext:
    """A place in a trace, as OpenTelemetry has it."""
    return SpanContext(
        int(place.trace_id, 16),
        int(place.span_id, 16),
        is_remote,
        otel.TraceFlags(int(place.flags, 16)),
        otel.TraceState.from_header([place.state]) if place.state else None,
    )


def context_of(place: Trace, span: otel.Span, base: Context | None = None) -> Context:
    """A context in which ``span`` is current, with the baggage of ``place``."""
    context = Context({**(base or {}), _SPAN_KEY: span})
    return _BAGGAGE.extract({BAGGAGE: place.baggage}, context) if place.baggage else context


@contextmanager
def standing(place: Trace) -> Iterator[None]:
    """Makes a place current whose span is another process's."""
    token = attach(context_of(place, PlaceSpan(place, is_remote=True)))
    try:
        yield
    finally:
        detach(token)


def place_of(span: otel.Span, before: Trace) -> Trace:
    """Where a span is; ``before`` if it has no place of its own."""
    at = span.get_span_context()
    if not at.is_valid:
        return before
    return replace(
        before,
        trace_id=otel.format_trace_id(at.trace_id),
        span_id=otel.format_span_id(at.span_id),
        flags=f"{at.trace_flags:02x}",
        state=at.trace_state.to_header(),
    )


def others_span() -> otel.Span | None:
    """The span of this very piece of work that an instrumentor has made, if one has."""
    if tracing.tracer() is None:
        return None
    span = otel.get_current_span()
    at = span.get_span_context()
    return span if at.is_valid and not at.is_remote else None


class Work:
    """A request, or an attempt at a run; its span is current while this is entered.

    ``trace`` is its place, which counts once it is entered. Where an instrumentor has made a span
    of the same work, that one is taken, and stays the instrumentor's to end.
    """

    trace: Trace
    has_begun = has_failed = False
    _parent: Trace | None
    _others: otel.Span | None
    _span: otel.Span = otel.INVALID_SPAN
    _token: Token[Context] | None = None

    def describe(self) -> tuple[str, SpanKind, Attributes, list[Link]]:
        """The span's name, kind, attributes and links."""
        raise NotImplementedError

    def adopt(self, span: otel.Span) -> None:
        """Adds to an instrumentor's span what it can not know."""
        raise NotImplementedError

    def _opened(self, tracer: otel.Tracer) -> otel.Span:
        try:
            return self._open(tracer)
        except Exception as error:  # of a sampler or a processor of the user's
            _warn(error)
            return PlaceSpan(self.trace)

    def _open(self, tracer: otel.Tracer) -> otel.Span:
        if self._others is not None:
            self.adopt(self._others)
            return self._others
        parent = self._parent
        # Never what happens to be current: no parent means a new trace.
        base = context_of(parent, PlaceSpan(parent, is_remote=True)) if parent else Context()
        name, kind, described, links = self.describe()
        return tracer.start_span(name, base, kind, described, links)

    def __enter__(self) -> Self:
        self.has_begun = True
        tracer = tracing.tracer()
        span = PlaceSpan(self.trace) if tracer is None else self._opened(tracer)
        if type(span) is not PlaceSpan:
            self.move(self._taken(span))
        self._span = span
        # What an instrumentor has put beside its span stays there.
        base = get_current() if self._others is not None else None
        self._token = attach(context_of(self.trace, span, base))
        return self

    def move(self, place: Trace) -> None:
        """Makes the place of the span the work's own."""
        self.trace = place

    def _taken(self, span: otel.Span) -> Trace:
        place = place_of(span, self.trace)
        # A provider that makes no spans hands on the parent's place.
        passed_on = self._parent is not None and place.span_id == self._parent.span_id
        return self.trace if passed_on else place

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._token is not None:
            detach(self._token)
        if error is not None:
            self.fail(RunError(type(error).__name__, str(error)))
        if self._others is None and type(self._span) is not PlaceSpan:
            self._end()

    def _end(self) -> None:
        try:
            self._span.end()
        except Exception as error:
            _warn(error)

    def fail(self, error: RunError) -> None:
        """Notes an error, with its stack as the handler's language writes it."""
        self.has_failed = True
        span = self._span
        if span.is_recording():
            span.add_event("exception", attributes.of_error(error))
            span.set_attribute("error.type", error.type)
            span.set_status(Status(StatusCode.ERROR, error.message))


class ServerWork(Work):
    """One request to a route."""

    def __init__(self, scope: Mapping[str, Any], headers: Mapping[str, Any], route: str) -> None:
        parent = Trace.read(headers)
        begin = parent.child() if parent else Trace.begin(headers)
        self.trace, self._parent, self._others = begin, parent, others_span()
        self._scope = scope
        self._headers = headers
        self._route = route

    def describe(self) -> tuple[str, SpanKind, Attributes, list[Link]]:
        """``GET /orders/:id``, by the conventions of HTTP servers."""
        described = attributes.of_request(self._scope, self._headers, self._route)
        method = attributes.known_method(self._scope["method"])
        name = f"{'HTTP' if method == '_OTHER' else method} {self._route}"
        return name, SpanKind.SERVER, described, []

    def adopt(self, span: otel.Span) -> None:
        """Adds the route, by which the span is named too."""
        name, *_ = self.describe()
        span.update_name(name)
        span.set_attribute("http.route", self._route)

    def answer(self, status: int) -> None:
        """Notes the status of the answer."""
        if self._others is not None:
            return
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500 and not self.has_failed:
            self._span.set_attribute("error.type", str(status))
            self._span.set_status(StatusCode.ERROR)


class AttemptWork(Work):
    """One attempt at a run that a message started: its ``event``, emitted at ``parent``.

    ``run`` is at the place of its span once this is entered.
    """

    def __init__(
        self,
        run: Run,
        event: Event,
        parent: Trace | None,
        queue: str,
        queued_at_ms: int | None,
    ) -> None:
        self.trace, self._parent, self._others = run.trace, parent, others_span()
        self.run = run
        self._event = event
        self._queue = queue
        # A run's start is its wait's end.
        self._queued_at_ms = queued_at_ms

    def move(self, place: Trace) -> None:
        """And the run's."""
        self.trace = place
        self.run = replace(self.run, trace=place)

    def become(self, attempt: int) -> None:
        """Makes it a later attempt, which its message does not know of."""
        self.run = replace(self.run, attempt=attempt)

    def adopt(self, span: otel.Span) -> None:
        """Adds the run, and the link to the attempt before."""
        span.set_attributes(self.own())
        if self._event.previous:
            link = _link(self._event.previous, self.run)
            span.add_link(link.context, link.attributes)

    def describe(self) -> tuple[str, SpanKind, Attributes, list[Link]]:
        """``process charge-card``, by the conventions of messaging."""
        described = attributes.of_processing(self._event, self._queue)
        links = [_link(self._event.previous, self.run)] if self._event.previous else []
        return f"process {self.run.step}", SpanKind.CONSUMER, described | self.own(), links

    def own(self) -> Attributes:
        """What a run is beside a message."""
        return attributes.of_run(self.run, self._queued_at_ms)

    def end_with(self, outcome: Outcome) -> None:
        """Notes why the handler failed, if it did."""
        if isinstance(outcome, Failure):
            self.fail(outcome.error)

    def following(self) -> Event:
        """The event as the next attempt gets it, which is linked to this one."""
        if not self.has_begun:
            return self._event
        # Without an emit to come from, the later attempts come from the first.
        origin = self._event.trace if self._parent else self.trace
        return replace(self._event, trace=origin, previous=self.trace)


def _warn(error: Exception) -> None:
    logger.warning("A span is lost: %r", error, extra={"action": "tracing.lost"})


def _link(previous: Trace, run: Run) -> Link:
    kind = "retry" if run.attempt > 1 else "replay"
    return Link(span_context(previous), {"motia.link": kind})


@contextmanager
def sending(event: Event, parent: Trace | None, queue: str | None = None) -> Iterator[Event]:
    """The span of an emit, current inside; gives the event as it goes out, at the span's place.

    ``parent`` is where it is emitted, unless a span of the handler's own is current there;
    None begins a trace. ``queue`` is where an event goes that is for one Step.
    """
    # A tick is sent by a process that does nothing else.
    tracer = tracing.running() if parent else tracing.tracer()
    if tracer is None:
        yield event
        return
    base = _base(parent) if parent else Context()
    place = replace(event.trace, baggage=_baggage(base, event.trace)) if parent else event.trace
    span = tracer.start_span(
        f"send {event.topic or queue}",
        base,
        SpanKind.PRODUCER,
        attributes.of_sending(event, queue),
    )
    # It counts as it goes out: what comes after may be waited for in vain.
    with otel.use_span(span, end_on_exit=True, record_exception=True):
        taken = place_of(span, place)
        own = parent is None or taken.span_id != parent.span_id
        yield replace(event, trace=taken if own else place)


def _base(place: Trace) -> Context:
    """Where in a run an emit comes from: a span of the handler's own, or the run's."""
    current = get_current()
    at = otel.get_current_span(current).get_span_context()
    if at.is_valid and otel.format_trace_id(at.trace_id) == place.trace_id:
        return current
    return context_of(place, PlaceSpan(place, is_remote=True))


def _baggage(context: Context, place: Trace) -> str:
    """The baggage of a context, in the words in which it came if it is still the same."""
    values = baggage.get_all(context)
    came = _BAGGAGE.extract({BAGGAGE: place.baggage}, Context()) if place.baggage else Context()
    if dict(values) == dict(baggage.get_all(came)):
        return place.baggage
    carrier: dict[str, str] = {}
    _BAGGAGE.inject(carrier, context)
    return read_baggage(carrier.get(BAGGAGE))


def operation(name: str, **described: str | int | None) -> AbstractContextManager[Any]:
    """The span of a call to a store, inside of the span that is current; without one, none."""
    tracer = tracing.running()
    if tracer is None or not otel.get_current_span().get_span_context().is_valid:
        return _QUIET
    given: Attributes = {key: value for key, value in described.items() if value is not None}
    return tracer.start_as_current_span(name, attributes=attributes.prefixed(given))
