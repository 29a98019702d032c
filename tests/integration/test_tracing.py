"""Where a trace goes: every way that an event can take, every pool, and other people's code.

The flow of the acceptance test shows the spans; here is what could lose them, or double them.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from collector import Collector, CollectorServer, Received, tree
from integration.apps import Process, Project, wait_until

from motia_celery.model.event import Event
from motia_celery.model.trace import Trace
from motia_celery.plan.topology import QueuePlan

TRACE, ROOT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PLACE = Trace(TRACE, ROOT, "01", "vendor=1", "user=ann")

#: Notes what OpenTelemetry's API says of where the handler is, and emits what its event says.
STEP = """
import json
from pathlib import Path

from opentelemetry import baggage, propagate, trace

config = {config!r}
NOTES = Path(__file__).parent.parent / "notes"


async def handler(data, context):
    carrier = {}
    propagate.inject(carrier)
    note = {
        "what": "done",
        "data": data,
        "traceparent": carrier.get("traceparent"),
        "tracestate": carrier.get("tracestate"),
        "baggage": dict(baggage.get_all()),
        "recording": trace.get_current_span().is_recording(),
    }
    with open(NOTES / config["name"], "a") as file:
        file.write(json.dumps(note) + "\\n")
    if context.attempt <= data.get("fails", 0):
        raise ValueError("as told")
    for event in data.get("emits", []):
        await context.emit(event)
    for event in data.get("commits", []):
        async with context.transaction() as transaction:
            await transaction.state.set("group", "key", 1)
            await transaction.emit(event)
"""

RETRY = {"maxAttempts": 2, "backoff": [1]}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with CollectorServer() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield collector


def named(spans: list[Received], name: str) -> list[Received]:
    return sorted((span for span in spans if span.name == name), key=lambda span: span.began)


def test_the_trace_goes_every_way_that_an_event_can_take(
    project: Project, collector: Collector
) -> None:
    """A delay, the outbox, a transaction, and a retry in place."""
    project.step("first", ["first"], source=STEP, emits=["later", "stored", "kept", "line"])
    for name in ("later", "stored", "kept"):
        project.step(name, [name], source=STEP)
    queue = {"queue": {"type": "fifo", "partitions": 2}}
    project.step("line", ["line"], source=STEP, infrastructure=queue, retry=RETRY)
    worker = project.worker()
    emits = [
        {"topic": "later", "data": {}, "delay": 1},
        {"topic": "stored", "data": {}, "outbox": True},
        {"topic": "line", "data": {"fails": 1}, "messageGroupId": "g"},
    ]
    project.emit("first", {"emits": emits, "commits": [{"topic": "kept", "data": {}}]}, trace=PLACE)
    for name, count in (("later", 1), ("stored", 1), ("kept", 1), ("line", 2)):
        for note in project.wait_for(name, count, seconds=60):
            assert note["tracestate"] == "vendor=1"
            assert note["baggage"] == {"user": "ann"}
    assert worker.terminate() == 0
    spans = collector.in_trace(TRACE)
    assert sorted(tree(spans, ROOT)) == sorted(
        [
            "process first",
            "  send later",
            "    process later",
            "  send stored",
            "    process stored",
            "  send line",
            "    process line",
            "    process line",
            "  transaction",
            "    send kept",
            "      process kept",
        ]
    )
    failed, again = named(spans, "process line")
    assert again.links == [(failed.span_id, "retry")]
    assert len(spans) == len(collector.spans)


def test_an_event_of_nobody_known_begins_a_trace_that_its_retry_stays_in(
    project: Project, collector: Collector
) -> None:
    project.step("first", ["first"], source=STEP, retry=RETRY)
    worker = project.worker()
    project.publish(project.queue("first"), b'{"fails": 1}', message_id="foreign")
    project.wait_for("first", 2, seconds=60)
    assert worker.terminate() == 0
    assert tree(collector.spans) == ["process first", "  process first"]


@pytest.mark.parametrize("pool", ["async", "prefork", "threads"])
def test_a_worker_that_ends_sends_the_spans_that_wait(
    on_rabbitmq: Project, collector: Collector, monkeypatch: pytest.MonkeyPatch, pool: str
) -> None:
    """The processes of a prefork pool too; each starts its exporter after the fork."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    on_rabbitmq.step("first", ["first"], source=STEP, emits=["second"])
    on_rabbitmq.step("second", ["second"], source=STEP)
    worker = on_rabbitmq.worker("--pool", pool, "--concurrency", "2")
    on_rabbitmq.emit("first", {"emits": [{"topic": "second", "data": {}}]}, trace=PLACE)
    on_rabbitmq.wait_for("second", seconds=60)
    assert collector.spans == []
    assert worker.terminate() == 0
    assert tree(collector.spans, ROOT) == ["process first", "  send second", "    process second"]


def test_a_collector_that_is_away_costs_nothing_but_its_spans(
    on_rabbitmq: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        port = taken.getsockname()[1]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        on_rabbitmq.step("first", ["first"], source=STEP, emits=["second"])
        on_rabbitmq.step("second", ["second"], source=STEP)
        worker = on_rabbitmq.worker()
        on_rabbitmq.emit("first", {"emits": [{"topic": "second", "data": {}}]})
        on_rabbitmq.wait_for("second")
        assert worker.terminate(60) == 0


def test_an_exporter_that_is_not_installed_is_named_with_its_fix(
    on_rabbitmq: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the app runs."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    on_rabbitmq.step("first", ["first"], source=STEP)
    worker = on_rabbitmq.worker()
    on_rabbitmq.emit("first", {})
    on_rabbitmq.wait_for("first")
    assert "pip install opentelemetry-exporter-otlp-proto-grpc" in worker.output


def test_without_spans_the_api_still_knows_where_a_handler_is(on_rabbitmq: Project) -> None:
    """So that what it sends to other services is in the trace; in an isolated process as well."""
    on_rabbitmq.step("first", ["first"], source=STEP)
    isolated = {"handler": {"isolated": True}}
    on_rabbitmq.step("second", ["first"], source=STEP, infrastructure=isolated)
    on_rabbitmq.worker()
    on_rabbitmq.emit("first", {}, trace=PLACE)
    for name in ("first", "second"):
        (note,) = on_rabbitmq.wait_for(name, seconds=60)
        found = Trace.from_header(note["traceparent"])
        assert found is not None
        assert found.trace_id == TRACE
        assert found.span_id != ROOT
        assert (note["tracestate"], note["baggage"]) == ("vendor=1", {"user": "ann"})
        assert note["recording"] is False


#: What a project does to set up OpenTelemetry for JavaScript, but for its exporter.
SET_UP = """
const { context, propagation } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const core = require('@opentelemetry/core');

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new core.CompositePropagator({
  propagators: [new core.W3CTraceContextPropagator(), new core.W3CBaggagePropagator()],
}));
"""

NODE_STEP = """
import { appendFileSync } from 'node:fs';
import { context, propagation } from '@opentelemetry/api';

export const config = { type: 'event', name: 'node', subscribes: ['node'], emits: [] };
export const handler = async (data, { traceId }) => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  const carrier = {};
  propagation.inject(context.active(), carrier);
  appendFileSync('notes/node', JSON.stringify({ what: 'done', data, traceId, ...carrier }) + '\\n');
};
"""


def test_opentelemetry_for_javascript_knows_where_a_handler_is(
    on_rabbitmq: Project,
    collector: Collector,
    npm_packages: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the project has set it up, many runs at once in one Node process."""
    folder = on_rabbitmq.folder
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "@opentelemetry").symlink_to(npm_packages / "@opentelemetry")
    (folder / "set-up.cjs").write_text(SET_UP)
    (folder / "steps" / "node.step.ts").write_text(NODE_STEP)
    monkeypatch.setenv("NODE_OPTIONS", f"--require {folder / 'set-up.cjs'}")
    worker = on_rabbitmq.worker()
    places = [replace(Trace.start(), state="vendor=1", baggage=f"n={n}") for n in range(5)]
    for place in places:
        on_rabbitmq.publisher.send_blocking(
            Event(topic="node", data={}, trace=place),
            QueuePlan(name=on_rabbitmq.queue("node"), step="node"),
        )
    notes = {note["traceId"]: note for note in on_rabbitmq.wait_for("node", 5, seconds=60)}
    assert worker.terminate() == 0
    for place in places:
        (span,) = collector.in_trace(place.trace_id)
        note = notes[place.trace_id]
        assert note["traceparent"] == f"00-{place.trace_id}-{span.span_id}-01"
        assert (note["tracestate"], note["baggage"]) == ("vendor=1", place.baggage)


ROUTE = """
config = {
    "type": "api", "name": "start", "method": "POST", "path": "/start/:id", "emits": ["first"],
}


async def handler(req, context):
    await context.emit({"topic": "first", "data": {"fails": 1}})
    await context.state.set("group", "key", 1)
    return {"status": 202, "body": {}}
"""


@pytest.fixture
def instrumented(on_rabbitmq: Project, free_tcp_port: int) -> Iterator[tuple[Project, str]]:
    """A web and a worker under ``opentelemetry-instrument``, with what is installed for it."""
    on_rabbitmq.step("first", ["first"], source=STEP, retry=RETRY)
    (on_rabbitmq.folder / "steps" / "start_step.py").write_text(ROUTE)
    command = str(Path(sys.executable).parent / "opentelemetry-instrument")

    def start(*arguments: str) -> Process:
        return on_rabbitmq.start(command, sys.executable, "-m", "motia_celery", *arguments)

    worker = start("worker")
    web = start("web", "--port", str(free_tcp_port))
    worker.wait_for_line("worker.ready")
    web.wait_for_line("web.ready")
    yield on_rabbitmq, f"http://127.0.0.1:{free_tcp_port}"


def test_instrumentors_of_fastapi_celery_and_redis_double_nothing(
    collector: Collector, instrumented: tuple[Project, str]
) -> None:
    """One span of a request, one of an attempt; the rest has them for parents."""
    project, address = instrumented
    headers = {"traceparent": f"00-{TRACE}-{ROOT}-01"}
    wait_until(lambda: _answers(address), "the web answers")
    answer = httpx.post(f"{address}/start/7", headers=headers, timeout=60)
    assert answer.status_code == 202
    project.wait_for("first", 2, seconds=60)

    def attempts(spans: list[Received]) -> list[Received]:
        return named(spans, "run/step:first")

    collector.wait(lambda spans: len(attempts(spans)) == 2, "both attempts")
    collector.wait(lambda spans: named(spans, "POST /start/:id"), "the request")
    spans = collector.in_trace(TRACE)
    (server,) = [span for span in spans if span.kind == "server"]
    assert server.scope.startswith("opentelemetry.instrumentation")
    assert server.name == "POST /start/:id"
    assert server.attributes["http.route"] == "/start/:id"
    assert answer.headers["traceparent"] == f"00-{TRACE}-{server.span_id}-01"
    (sent,) = named(spans, "send first")
    assert sent.parent_id == server.span_id
    consumers = [span for span in spans if span.kind == "consumer"]
    assert [span.scope for span in consumers] == ["opentelemetry.instrumentation.celery"] * 2
    assert {span.parent_id for span in consumers} == {sent.span_id}
    first, second = sorted(consumers, key=lambda span: span.began)
    assert [span.attributes["motia.attempt"] for span in (first, second)] == [1, 2]
    assert first.events[0]["exception.message"] == "as told"
    assert (first.links, second.links) == ([], [(first.span_id, "retry")])
    notes = project.notes("first")
    assert [note["traceparent"] for note in notes] == [
        f"00-{TRACE}-{span.span_id}-01" for span in (first, second)
    ]
    (state,) = named(spans, "state.set")
    stored = [span for span in spans if span.scope == "opentelemetry.instrumentation.redis"]
    assert state.span_id in {span.parent_id for span in stored}
    assert not [line for line in tree(spans, ROOT) if line.startswith("orphan")]


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/live", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
