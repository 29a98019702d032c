"""A flow in two languages, and a cron, in the traces that an OpenTelemetry collector gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from acceptance.conftest import free_port, wait_for_web
from collector import Collector, CollectorServer, Received, tree
from integration.apps import Process, Project, wait_until

START = """
export const config = {
  type: 'api', name: 'start', method: 'POST', path: '/start/:id', emits: ['middle'], flows: ['f'],
};
export const handler = async (req, { emit, state, traceId }) => {
  await emit({ topic: 'middle', data: { id: req.pathParams.id, text: 'hello' } });
  return { status: 202, body: { traceId } };
};
"""

MIDDLE = """
from opentelemetry import baggage, trace

config = {
    "type": "event", "name": "middle", "subscribes": ["middle"], "emits": ["last"], "flows": ["f"],
    "retry": {"maxAttempts": 2, "backoff": [1]},
}
tracer = trace.get_tracer("the user's")


async def handler(data, context):
    trace.get_current_span().set_attribute("user", str(baggage.get_baggage("user")))
    if context.attempt == 1:
        raise ValueError("the first attempt fails")
    with tracer.start_as_current_span("mine"):
        await context.emit({"topic": "last", "data": data})
"""

LAST = """
export const config = {
  type: 'event', name: 'last', subscribes: ['last'], emits: [], flows: ['f'],
};
export const handler = async (data, { state, streams, traceId }) => {
  await streams.words.set('said', data.id, { text: data.text });
  await state.set(traceId, 'done', data.id);
};
"""

FAILS = """
export const config = {
  type: 'event', name: 'fails', subscribes: ['fails'], emits: [],
  infrastructure: { queue: { maxRetries: 0 } },
};
export const handler = async (data) => {
  throw new RangeError('too far');
};
"""

STREAM = """
export const config = {
  name: 'words', schema: { type: 'object' }, baseConfig: { storageType: 'default' },
};
"""

READ = """
config = {"type": "api", "name": "read", "method": "GET", "path": "/read/:trace", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": await context.state.plain.get_group(req.path_params["trace"])}
"""

TICKS = """
config = {"type": "cron", "name": "ticks", "cron": "* * * * * *", "emits": ["tick"]}


async def handler(context):
    await context.emit({"topic": "tick", "data": {}})
"""

TICK = """
config = {"type": "event", "name": "tick", "subscribes": ["tick"], "emits": []}


def handler(data, context):
    context.state.set("ticks", context.trace_id, True)
"""

FILES = {
    "start.step.ts": START,
    "middle_step.py": MIDDLE,
    "last.step.ts": LAST,
    "fails.step.ts": FAILS,
    "words.stream.ts": STREAM,
    "read_step.py": READ,
    "ticks_step.py": TICKS,
    "tick_step.py": TICK,
}

PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with CollectorServer() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield collector


@pytest.fixture(params=["rabbitmq", "redis"])
def app(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    name_prefix: str,
    redis_url: str,
    collector: Collector,
) -> Iterator[Project]:
    amqp_url, forget = None, []
    if request.param == "rabbitmq":
        amqp_url = request.getfixturevalue("broker_url")
        forget = [request.getfixturevalue("forget_queue")]
    project = Project(tmp_path, name_prefix, redis_url, amqp_url)
    for name, source in FILES.items():
        (project.folder / "steps" / name).write_text(source)
    yield project
    project.close()
    for forget_queue in forget:
        for step in ("middle", "last", "fails", "ticks", "tick"):
            forget_queue(project.queue(step))


def start(app: Project, **settings: object) -> tuple[str, Process]:
    """The address of the web, and the worker; both are ready."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    web = app.command("web", "--port", str(port), **settings)
    worker = app.worker()
    wait_for_web(address, web)
    return address, worker


on_rabbitmq = pytest.mark.parametrize("app", ["rabbitmq"], indirect=True)
on_redis = pytest.mark.parametrize("app", ["redis"], indirect=True)


def one(spans: list[Received], name: str) -> Received:
    (found,) = [span for span in spans if span.name == name]
    return found


def test_a_flow_is_one_trace_with_right_parents(app: Project, collector: Collector) -> None:
    """Http in TypeScript, an event in Python that fails once, an event in TypeScript."""
    address, worker = start(app)
    headers = {
        "traceparent": f"00-{PARENT}-00f067aa0ba902b7-01",
        "tracestate": "vendor=1",
        "baggage": "user=ann,bad member",
    }
    answer = httpx.post(f"{address}/start/7?secret=1", headers=headers, timeout=60)
    assert answer.status_code == 202
    assert answer.json() == {"traceId": PARENT}
    assert answer.headers["x-trace-id"] == PARENT

    def has_all(spans: list[Received]) -> bool:
        return {"process last", "state.set"} <= {span.name for span in spans}

    collector.wait(has_all, "the flow's last spans")
    # A run finds its trace by its id, as projects of Motia do.
    assert httpx.get(f"{address}/read/{PARENT}", timeout=60).json() == ["7"]
    assert worker.terminate() == 0
    spans = collector.in_trace(PARENT)
    server = one(spans, "POST /start/:id")
    assert server.parent_id == "00f067aa0ba902b7"
    assert answer.headers["traceparent"] == f"00-{PARENT}-{server.span_id}-01"
    assert tree(spans, "00f067aa0ba902b7") == [
        "POST /start/:id",
        "  send middle",
        "    process middle",
        "    process middle",
        "      mine",
        "        send last",
        "          process last",
        "            streams.set",
        "            state.set",
    ]
    _check_server(app, server)
    _check_messages(app, spans)
    assert {span.state for span in spans} == {"vendor=1"}
    assert {span.service for span in spans} == {f"{app.prefix}-web", f"{app.prefix}-worker"}


def _check_server(app: Project, server: Received) -> None:
    told = server.attributes
    assert server.kind == "server"
    assert told["http.request.method"] == "POST"
    assert told["http.route"] == "/start/:id"
    assert told["http.response.status_code"] == 202
    assert told["url.path"] == "/start/7"
    assert (told["url.scheme"], told["server.address"]) == ("http", "127.0.0.1")
    assert "secret" not in str(told)


def _check_messages(app: Project, spans: list[Received]) -> None:
    sent = one(spans, "send middle")
    first, second = sorted(
        (span for span in spans if span.name == "process middle"), key=lambda span: span.began
    )
    assert (sent.kind, first.kind) == ("producer", "consumer")
    system = "rabbitmq" if app.settings().uses_rabbitmq else "redis"
    for span in (sent, first, second):
        assert span.attributes["messaging.system"] == system
        assert span.attributes["messaging.message.id"] == sent.attributes["messaging.message.id"]
    assert sent.attributes["messaging.message.body.size"] == len(b'{"id":"7","text":"hello"}')
    names = app.names
    if system == "rabbitmq":
        destinations = f"{names.events}:middle", f"{names.events}:middle:{names.queue('middle')}"
    else:
        destinations = "middle", names.queue("middle")
    assert (
        sent.attributes["messaging.destination.name"],
        first.attributes["messaging.destination.name"],
    ) == destinations
    assert [span.attributes["motia.attempt"] for span in (first, second)] == [1, 2]
    assert first.attributes["motia.run.id"] == second.attributes["motia.run.id"]
    assert 0 <= first.attributes["motia.queue.wait_seconds"] < 30
    assert (first.is_error, second.is_error) == (True, False)
    assert first.attributes["error.type"] == "ValueError"
    (event,) = first.events
    assert event["exception.message"] == "the first attempt fails"
    assert "middle_step.py" in event["exception.stacktrace"]
    assert first.links == []
    assert second.links == [(first.span_id, "retry")]
    assert {span.attributes["user"] for span in (first, second)} == {"ann"}


@on_rabbitmq
def test_a_replay_links_to_the_attempt_that_failed(app: Project, collector: Collector) -> None:
    """And the error of TypeScript is told with its own stack."""
    address, _ = start(app, emit_route="true")
    answer = httpx.post(f"{address}/emit", json={"topic": "fails", "data": {}}, timeout=60)
    assert answer.status_code == 200

    def runs(spans: list[Received]) -> list[Received]:
        return [span for span in spans if span.name == "process fails"]

    collector.wait(runs, "the run that fails")
    wait_until(lambda: app.depth(app.names.dead_letter_queue) == 1, "the dead letter")
    replay = app.command("dlq", "replay", "--all")
    assert replay.wait() == 0, replay.output
    collector.wait(lambda spans: len(runs(spans)) == 2, "the replay")
    spans = [*collector.spans]
    failed, again = sorted(runs(spans), key=lambda span: span.began)
    (event,) = failed.events
    assert (event["exception.type"], event["exception.message"]) == ("RangeError", "too far")
    assert "fails.step.ts:7" in event["exception.stacktrace"]
    assert again.links == [(failed.span_id, "replay")]
    assert tree(spans) == ["send fails", "  process fails", "  process fails"]


@on_redis
def test_each_tick_is_a_trace_of_its_own(app: Project, collector: Collector) -> None:
    app.command("beat")
    app.worker()

    def trees(spans: list[Received]) -> list[list[str]]:
        ids = dict.fromkeys(span.trace_id for span in spans)
        return [tree(collector.in_trace(trace_id)) for trace_id in ids]

    whole = [
        f"send {app.queue('ticks')}",
        "  process ticks",
        "    send tick",
        "      process tick",
        "        state.set",
    ]
    collector.wait(lambda spans: trees(spans).count(whole) >= 2, "two ticks")
    services = {span.name: span.service for span in collector.spans}
    assert services[whole[0]] == f"{app.prefix}-beat"
    assert services["process ticks"] == f"{app.prefix}-worker"


@on_redis
def test_nothing_is_sent_unless_a_variable_asks(
    app: Project, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the trace goes through all the same."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    address, _ = start(app)
    headers = {"traceparent": f"00-{PARENT}-00f067aa0ba902b7-01"}
    assert httpx.post(f"{address}/start/7", headers=headers, timeout=60).status_code == 202
    done: Any = wait_until(
        lambda: httpx.get(f"{address}/read/{PARENT}", timeout=60).json(), "the last Step"
    )
    assert done == ["7"]
    assert collector.spans == []
