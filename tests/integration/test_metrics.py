"""Metrics of a running app: counted in its processes, read as Prometheus and OTLP give them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from integration.apps import Project, wait_until
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from prometheus_client.parser import text_string_to_metric_families
from servers import free_ports

from motia_celery.stores.embedded import EmbeddedServer

TOKEN = "the-token-of-the-metrics-tests-0123456789"
ROUTE = """
config = {"type": "api", "name": "api", "method": "POST", "path": "/go", "emits": ["asked"]}


async def handler(req, context):
    if req["body"].get("fails"):
        raise ValueError("asked to")
    await context.emit({"topic": "asked", "data": req["body"]})
    return {"status": 202}
"""
DEAD_LETTERS = ("motia_celery_dead_letters",)
Samples = dict[tuple[str, ...], float]


def scrape(address: str) -> Samples:
    response = httpx.get(
        f"{address}/metrics", headers={"authorization": f"Bearer {TOKEN}"}, timeout=20
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def start_web(project: Project, **settings: object) -> str:
    (port,) = free_ports(1)
    web = project.command("web", port=port, admin_token=TOKEN, **settings)
    web.wait_for_line("web.ready")
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(address), "the web process answers")
    return address


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/live").status_code == 200
    except httpx.TransportError:
        return False


def write_steps(project: Project) -> None:
    (project.folder / "steps" / "api_step.py").write_text(ROUTE)
    project.step("works", ["asked"], retries=1)


def test_what_runs_anywhere_is_told_by_the_web_process(project: Project) -> None:
    write_steps(project)
    project.worker()
    address = start_web(project)
    for body in ({"n": 1}, {"n": 2}, {"fails": True}):
        httpx.post(f"{address}/go", json=body, timeout=60)
    project.emit("asked", {"fails": {"works": 1}})
    project.emit("asked", {"fails": {"works": 9}})

    def all_counted() -> Samples | None:
        told = scrape(address)
        runs = sum(value for key, value in told.items() if key[0] == "motia_celery_runs_total")
        return told if runs == 7 and told[DEAD_LETTERS] == 1 else None

    told = wait_until(all_counted, "every run is counted", 60, 0.5)
    name = "motia_celery_runs_total"
    assert told[name, "api", "http", "success"] == 2
    assert told[name, "api", "http", "failure"] == 1
    assert told[name, "works", "event", "success"] == 3
    assert told[name, "works", "event", "failure"] == 1
    assert told["motia_celery_attempt_failures_total", "works", "event"] == 3
    assert told["motia_celery_retries_total", "works", "event"] == 2
    assert told["motia_celery_run_duration_seconds_count", "works", "event"] == 6
    assert told["motia_celery_run_wait_seconds_count", "works"] == 4
    assert 0 <= told["motia_celery_last_run_wait_seconds", "works"] < 30
    assert told["motia_celery_queue_messages_ready", "works"] == 0
    assert told["motia_celery_queue_oldest_seconds", "works"] == 0
    assert told["motia_celery_up", "broker"] == told["motia_celery_up", "store"] == 1
    if project.settings().uses_rabbitmq:
        assert told["motia_celery_queue_consumers", "works"] == 1
    (sockets,) = (value for key, value in told.items() if key[0] == "motia_celery_stream_sockets")
    assert sockets == 0


def test_what_waits_without_a_worker_has_a_depth_and_an_age(project: Project) -> None:
    project.step("works", ["asked"])
    assert project.release().wait() == 0
    address = start_web(project)
    assert scrape(address)["motia_celery_queue_messages_ready", "works"] == 0
    project.emit("asked", {})
    project.emit("asked", {})

    def waiting() -> Samples | None:
        told = scrape(address)
        return told if told["motia_celery_queue_messages_ready", "works"] == 2 else None

    first = wait_until(waiting, "both wait")["motia_celery_queue_oldest_seconds", "works"]
    told = wait_until(
        lambda: (
            (now := scrape(address))
            and now["motia_celery_queue_oldest_seconds", "works"] > first
            and now
        ),
        "they get older",
    )
    assert told["motia_celery_queue_oldest_seconds", "works"] < 120
    if project.settings().uses_rabbitmq:
        assert told["motia_celery_queue_consumers", "works"] == 0


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """A receiver of OTLP over HTTP, and what it got."""
    received: list[ExportMetricsServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/metrics":
                received.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("pool", ["async", "prefork"])
def test_opentelemetry_gets_the_same_where_its_variables_ask(
    on_rabbitmq: Project, monkeypatch: pytest.MonkeyPatch, pool: str
) -> None:
    project = on_rabbitmq
    project.step("works", ["asked"])
    with collector() as (url, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "200")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "the-shop")
        project.worker("--pool", pool, "--concurrency", "1")
        project.emit("asked", {})
        project.wait_for("works")
        points = wait_until(lambda: _points(received, "motia_celery.runs"), "a run is exported")
        assert wait_until(lambda: _points(received, "motia_celery.run_duration"), "its duration")
    (point,) = points
    attributes = {one.key: one.value.string_value for one in point.attributes}
    assert attributes == {
        "motia.step": "works",
        "motia.trigger": "event",
        "motia.outcome": "success",
    }
    assert point.as_int == 1
    resource = received[-1].resource_metrics[0].resource
    named = {one.key: one.value.string_value for one in resource.attributes}
    assert named["service.name"] == "the-shop"


def _points(received: list[ExportMetricsServiceRequest], name: str) -> list[Any]:
    for request in reversed(received):
        for one in request.resource_metrics:
            for scope in one.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == name:
                        return list(metric.sum.data_points or metric.histogram.data_points)
    return []


def test_metrics_cost_no_run_when_redis_is_away(
    on_rabbitmq: Project, private_redis: EmbeddedServer
) -> None:
    project = on_rabbitmq
    project.step("works", ["asked"])
    worker = project.worker(redis_url=private_redis.url)
    project.emit("asked", {})
    project.wait_for("works", 1)
    private_redis.stop()
    project.emit("asked", {})
    project.wait_for("works", 2)
    assert worker.running
