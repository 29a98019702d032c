"""A span for each piece of work, at the place in the trace that goes on from there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace import NoOpTracer, SpanKind, StatusCode
from unit.run.web_apps import TRACEPARENT, Runs, api, app_of, ask

from motia_celery.context import Context, Services
from motia_celery.context.traced import traced
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.run import Failure, Run, RunError
from motia_celery.model.step import Step
from motia_celery.model.trace import Trace
from motia_celery.model.transaction import StateChange
from motia_celery.observe import tracing
from motia_celery.observe.spans import AttemptWork, PlaceSpan, context_of
from motia_celery.plan.topology import Names
from motia_celery.stores.memory_state import MemoryState

PARENT = Trace.from_header(TRACEPARENT)
assert PARENT is not None


class Collected:
    """Spans as they ended, of a provider of the test's own."""

    def __init__(self, **options: Any) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(**options)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("test")

    def __iter__(self) -> Iterator[ReadableSpan]:
        return iter(self._exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self if span.name == name]
        return found

    @property
    def names(self) -> Sequence[str]:
        return [span.name for span in self]


def use(monkeypatch: pytest.MonkeyPatch, tracer: Any) -> None:
    process = tracing._Process(system="rabbitmq", names=Names("shop"), tracer=tracer)
    monkeypatch.setattr(tracing, "_process", process)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Collected:
    collected = Collected()
    use(monkeypatch, collected.tracer)
    return collected


def place(span: ReadableSpan) -> str:
    at = span.get_span_context()
    assert at is not None
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"


# --- requests -------------------------------------------------------------------------------


async def test_a_request_is_a_server_span_that_its_run_and_answer_name(spans: Collected) -> None:
    runs = Runs()
    headers = {"traceparent": TRACEPARENT, "tracestate": "a=1", "user-agent": "test"}
    app = app_of(api("/orders/:id", "GET"), runs=runs)
    response = await ask(app, "GET", "/orders/7?token=secret", headers=headers)
    span = spans.named("GET /orders/:id")
    assert span.kind is SpanKind.SERVER
    assert span.parent is not None
    assert span.parent.is_remote
    assert f"{span.parent.span_id:016x}" == PARENT.span_id
    assert response.headers["traceparent"] == place(span) == runs.seen[0].trace.header
    assert runs.seen[0].trace.state == "a=1"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/orders/:id",
        "url.path": "/orders/7",
        "url.scheme": "http",
        "server.address": "localhost",
        "server.port": 3000,
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "test",
    }
    assert span.status.status_code is StatusCode.UNSET


async def test_a_request_without_a_trace_begins_one(spans: Collected) -> None:
    response = await ask(app_of(api("/x", "GET")), "GET", "/x", headers={"host": "a:b:c"})
    (span,) = spans
    assert span.parent is None
    assert response.headers["traceparent"] == place(span)


async def test_a_failed_request_tells_why(spans: Collected) -> None:
    fault = Failure(RunError("RangeError", "too far", traceback="at buy.step.ts:3"))
    await ask(app_of(api("/x", "GET"), runs=Runs(fault)), "GET", "/x")
    (span,) = spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes and span.attributes["error.type"] == "RangeError"
    (event,) = span.events
    assert dict(event.attributes or {}) == {
        "exception.type": "RangeError",
        "exception.message": "too far",
        "exception.stacktrace": "at buy.step.ts:3",
    }


@pytest.mark.parametrize(("status", "is_error"), [(404, False), (503, True)])
async def test_only_a_5xx_is_the_servers_error(
    spans: Collected, status: int, is_error: bool
) -> None:
    await ask(app_of(api("/x", "GET"), runs=Runs({"status": status})), "GET", "/x")
    (span,) = spans
    assert (span.status.status_code is StatusCode.ERROR) is is_error
    assert span.attributes and span.attributes.get("error.type") == (
        str(status) if is_error else None
    )


async def test_a_recording_server_span_at_the_door_is_not_doubled(spans: Collected) -> None:
    """An instrumentor's; it learns the route, and is what the run names."""
    runs = Runs()
    with spans.tracer.start_as_current_span("GET", kind=SpanKind.SERVER):
        await ask(app_of(api("/x/:id", "GET"), runs=runs), "GET", "/x/1")
    (span,) = spans
    assert span.name == "GET /x/:id"
    assert span.attributes and span.attributes["http.route"] == "/x/:id"
    assert runs.seen[0].trace.header == place(span)


async def test_a_trace_that_is_not_sampled_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    collected = Collected(sampler=DEFAULT_ON)
    use(monkeypatch, collected.tracer)
    runs = Runs()
    headers = {"traceparent": TRACEPARENT[:-2] + "00"}
    await ask(app_of(api("/x", "GET"), runs=runs), "GET", "/x", headers=headers)
    assert collected.names == []
    assert runs.seen[0].trace.flags == "00"
    assert runs.seen[0].trace.trace_id == PARENT.trace_id


async def test_what_the_sampler_drops_is_dropped_by_all_who_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, Collected(sampler=ALWAYS_OFF).tracer)
    runs = Runs()
    await ask(app_of(api("/x", "GET"), runs=runs), "GET", "/x")
    assert int(runs.seen[0].trace.flags, 16) & 1 == 0


async def test_a_provider_that_makes_no_spans_changes_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, NoOpTracer())
    runs = Runs()
    await ask(
        app_of(api("/x", "GET"), runs=runs), "GET", "/x", headers={"traceparent": TRACEPARENT}
    )
    trace_ = runs.seen[0].trace
    assert trace_.trace_id == PARENT.trace_id
    assert trace_.span_id != PARENT.span_id


async def test_a_processor_that_fails_costs_no_request(spans: Collected) -> None:
    class Broken(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            raise RuntimeError("broken")

    spans.provider.add_span_processor(Broken())
    assert (await ask(app_of(api("/x", "GET")), "GET", "/x")).status_code == 200


# --- runs -----------------------------------------------------------------------------------


def attempt(number: int = 1, previous: Trace | None = None) -> AttemptWork:
    assert PARENT is not None
    event = Event(topic="paid", data={}, id="e", trace=PARENT, root_id="root", previous=previous)
    run = Run(
        id="r",
        step="ship",
        trigger="event",
        input={},
        trace=PARENT.child(),
        topic="paid",
        attempt=number,
        max_attempts=3,
    )
    return AttemptWork(run, event, PARENT, "shop.q.ship", 0)


def test_an_attempt_is_a_consumer_span(spans: Collected) -> None:
    with attempt() as work:
        assert work.run.trace == work.trace
    span = spans.named("process ship")
    assert (span.kind, place(span)) == (SpanKind.CONSUMER, work.trace.header)
    told = dict(span.attributes or {})
    assert told.pop("motia.queue.wait_seconds")
    assert told == {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "shop.events:paid:shop.q.ship",
        "messaging.rabbitmq.destination.routing_key": "paid",
        "messaging.message.id": "e",
        "messaging.message.conversation_id": "root",
        "motia.step": "ship",
        "motia.trigger": "event",
        "motia.topic": "paid",
        "motia.run.id": "r",
        "motia.attempt": 1,
        "motia.max_attempts": 3,
    }


def test_the_next_attempt_has_the_same_parent_and_a_link(spans: Collected) -> None:
    with attempt() as first:
        first.end_with(Failure(RunError("ValueError", "no")))
    event = first.following()
    assert (event.trace, event.previous) == (PARENT, first.trace)
    with attempt(2, event.previous):
        pass
    failed, again = spans
    assert failed.status.status_code is StatusCode.ERROR
    (link,) = again.links
    assert f"{link.context.span_id:016x}" == first.trace.span_id == place(failed)[36:52]
    assert dict(link.attributes or {}) == {"motia.link": "retry"}


def test_a_run_that_never_began_is_no_span(spans: Collected) -> None:
    work = attempt()
    assert work.following().previous is None
    assert spans.names == []


def test_a_run_that_is_cut_ends_its_span(spans: Collected) -> None:
    with pytest.raises(KeyboardInterrupt), attempt():
        raise KeyboardInterrupt
    (span,) = spans
    assert span.attributes and span.attributes["error.type"] == "KeyboardInterrupt"


def test_without_spans_the_place_is_current_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, None)
    assert PARENT is not None
    monkeypatch.setattr(tracing._process, "looks_at", float("inf"))
    with attempt() as work:
        at = trace.get_current_span().get_span_context()
        assert f"{at.span_id:016x}" == work.trace.span_id
        assert not trace.get_current_span().is_recording()
    assert not trace.get_current_span().get_span_context().is_valid


# --- emits and stores -----------------------------------------------------------------------


class Sent:
    """Stands for the broker's emitter: keeps what it was given."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def emit(self, event: Event, options: EmitOptions, **_: Any) -> bool:
        self.events.append(event)
        return True

    async def commit(
        self,
        changes: Sequence[StateChange],
        events: Sequence[tuple[Event, EmitOptions]],
        **_: Any,
    ) -> None:
        self.events += [event for event, _ in events]


def handling(work: AttemptWork, sent: Sent) -> Context:
    step = Step(name="ship", file="steps/ship_step.py", language="python")
    return Context(work.run, step, traced(Services(emitter=sent, state=MemoryState())))


async def test_what_a_handler_does_lies_inside_of_its_run(spans: Collected) -> None:
    sent = Sent()
    with attempt() as work:
        handler = handling(work, sent)
        await handler.emit(topic="sent", data={"n": 1})
        await handler.state.set("orders", "7", {})
        async with handler.transaction() as transaction:
            transaction.emit(topic="sent", data={"n": 2})
    by_name = {span.name: span for span in spans}
    run = by_name["process ship"].get_span_context()
    assert run is not None
    for name in ("state.set", "transaction"):
        parent = by_name[name].parent
        assert parent is not None
        assert parent.span_id == run.span_id
    assert dict(by_name["state.set"].attributes or {}) == {
        "motia.state.group": "orders",
        "motia.state.key": "7",
    }
    producers = [span for span in spans if span.kind is SpanKind.PRODUCER]
    assert [place(span) for span in producers] == [event.trace.header for event in sent.events]
    told = dict(producers[0].attributes or {})
    assert told["messaging.destination.name"] == "shop.events:sent"
    assert told["messaging.message.body.size"] == len(b'{"n":1}')
    assert told["messaging.operation.type"] == "send"


async def test_an_emit_comes_from_the_handlers_own_span_and_takes_its_baggage(
    spans: Collected,
) -> None:
    sent = Sent()
    with attempt() as work:
        handler = handling(work, sent)
        with spans.tracer.start_as_current_span("mine"):
            token = context.attach(baggage.set_baggage("user", "ann b"))
            await handler.emit(topic="sent", data={})
            context.detach(token)
    mine = spans.named("mine").get_span_context()
    parent = spans.named("send sent").parent
    assert mine is not None and parent is not None
    assert parent.span_id == mine.span_id
    assert sent.events[0].trace.baggage == "user=ann+b"


def test_baggage_is_there_for_the_handler() -> None:
    assert PARENT is not None
    there = Trace(PARENT.trace_id, PARENT.span_id, "01", "", "user=ann%20b,x=2")
    assert baggage.get_all(context_of(there, PlaceSpan(there))) == {"user": "ann b", "x": "2"}
