"""An OpenTelemetry collector in the test's own process: what it was sent, as values.

It speaks OTLP/HTTP, as a real one does, so what arrives here has left another process.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class Received:
    """One span, as it arrived."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    service: str
    scope: str
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    links: list[tuple[str, str]]
    is_error: bool
    state: str = ""
    began: int = 0
    ended: int = 0


@dataclass
class Collector:
    """Keeps every span that it is sent."""

    url: str = ""
    spans: list[Received] = field(default_factory=list)

    def in_trace(self, trace_id: str) -> list[Received]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def wait(
        self, condition: Callable[[list[Received]], Any], what: str, seconds: float = 60
    ) -> list[Received]:
        """The spans, once they are as the condition wants them."""
        deadline = time.monotonic() + seconds
        while not condition([*self.spans]):
            shown = "\n".join(map(str, self.spans))
            assert time.monotonic() < deadline, f"after {seconds} s still not: {what}\n{shown}"
            time.sleep(0.05)
        return [*self.spans]


def tree(spans: Iterable[Received], root: str = "") -> list[str]:
    """The spans as indented lines, children below their parents; an orphan is marked.

    ``root`` is the span that the others come from, where that is none of them.
    """
    spans = sorted(spans, key=lambda span: span.began)
    known = {root, *(span.span_id for span in spans)}
    lines: list[str] = []

    def add(parent_id: str, depth: int) -> None:
        for span in spans:
            if span.parent_id == parent_id:
                lines.append("  " * depth + span.name)
                add(span.span_id, depth + 1)

    add(root, 0)
    lines += [f"orphan: {s.name}" for s in spans if s.parent_id and s.parent_id not in known]
    return lines


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    collector: Collector


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces", self.path
        request = ExportTraceServiceRequest.FromString(body)
        self.server.collector.spans.extend(_received(request))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        return


def _received(request: ExportTraceServiceRequest) -> Iterable[Received]:
    for resource in request.resource_spans:
        service = _values(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(span, service, scope.scope.name)


def _span(span: Span, service: str, scope: str) -> Received:
    return Received(
        name=span.name,
        kind=KINDS[span.kind],
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=service,
        scope=scope,
        attributes=_values(span.attributes),
        events=[{"name": event.name, **_values(event.attributes)} for event in span.events],
        links=[
            (link.span_id.hex(), _values(link.attributes).get("motia.link", ""))
            for link in span.links
        ],
        is_error=span.status.code == 2,
        state=span.trace_state,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


class CollectorServer:
    """A collector on a free port of this machine."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self.collector = self._server.collector = Collector(
            f"http://127.0.0.1:{self._server.server_port}"
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Collector:
        self._thread.start()
        return self.collector

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
