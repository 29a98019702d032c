"""What spans cost a Step that does nothing, on Celery's own tracer: off, on, and in other code.

``python -m tests.benchmarks.tracing`` compares a process without spans with one that exports them
to a collector on this machine. ``--before FOLDER``, a checkout of another version, adds one of that
code. The processes take turns, a round each; read the median of the rounds' ratios, since absolute
times move with the machine. Measured is the processor's time, from a delivery as the channel gives
it to its outcome, with the sending of spans; there is no broker.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROUNDS = 60
RUNS = 200

STEP = """
config = {"type": "event", "name": "noop", "subscribes": ["noop"], "emits": []}


async def handler(data, context):
    return None
"""


class _Sink(BaseHTTPRequestHandler):
    """A collector that reads nothing of what it gets."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return


class Worker:
    """A process that does a round when it is told to."""

    def __init__(self, code: Path, environment: Mapping[str, str]) -> None:
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("OTEL_", "MOTIA_"))}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), "--serve"],
            env={**clean, **environment, "PYTHONPATH": str(code)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def round(self) -> float:
        """The microseconds of one run."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """Ends it."""
        self._process.communicate(timeout=30)


def main() -> None:
    """Prints the medians and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="a checkout of another version")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    sink = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    own = Path(__file__).parents[2]
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink.server_port}"}
    workers = {"off": Worker(own, {}), "off again": Worker(own, {}), "on": Worker(own, exporting)}
    if options.before:
        workers["before"] = Worker(options.before.resolve(), {})
    for worker in workers.values():
        worker.round()  # what is loaded and compiled at first
    rounds = [{name: worker.round() for name, worker in workers.items()} for _ in range(ROUNDS)]
    for worker in workers.values():
        worker.close()
    _print(rounds, "before" if options.before else "off")


def _print(rounds: list[dict[str, float]], base: str) -> None:
    print(f"{RUNS} runs a round, medians of {ROUNDS} rounds: CPU µs a run, ratio to '{base}'")
    for name in rounds[0]:
        micros = statistics.median(found[name] for found in rounds)
        ratio = statistics.median(found[name] / found[base] for found in rounds)
        print(f"{name:<10} {micros:8.1f}  {ratio:.3f}")


def serve() -> None:
    """Does a round for each line of its input."""
    import asyncio

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "steps").mkdir()
        (Path(folder) / "steps" / "noop_step.py").write_text(STEP)
        asyncio.run(_serve(Path(folder)))


async def _serve(root: Path) -> None:
    import uvloop  # noqa: F401 - loaded as in a worker
    from celery.app.trace import build_tracer

    from motia_celery.broker.celery_app import create_celery
    from motia_celery.broker.gate import Gate
    from motia_celery.broker.loop import run_body
    from motia_celery.broker.queue import step_queue
    from motia_celery.run.app import App
    from motia_celery.settings import load_settings
    from motia_celery.stores.limits import Limits

    environment = {
        "MOTIA_BROKER_URL": "amqp://127.0.0.1:1",
        "MOTIA_REDIS_URL": "redis://127.0.0.1:1",
    }
    app = App(load_settings(root, environment))
    gate = Gate(Limits(app.resources.store, "bench"))
    none: Any = lambda: None  # noqa: E731
    celery = create_celery(
        app.settings,
        app.plan,
        invoke=app.invoke,
        publisher=none,
        gate=lambda: gate,
        once=none,
        order=none,
        recorder=none,
    )
    plan = app.plan.topology.by_step["noop"]
    queue = step_queue(plan, app.plan.names, amqp=True, prefetch=1, limit_bytes=10**6)
    task = celery.tasks[plan.task]
    tracer = build_tracer(task.name, task, app=celery)

    async def run() -> None:
        raw = _delivery(app.plan.names.events)
        queue.adapt(raw)
        headers = raw.properties["application_headers"]
        request = {**headers, "delivery_info": raw.delivery_info, "hostname": "bench"}
        await run_body(lambda: tracer(headers["id"], [{}], {}, request), lambda error: error)

    for _ in sys.stdin:
        began = time.process_time()
        for _ in range(RUNS):
            await run()
        print((time.process_time() - began) / RUNS * 1e6, flush=True)


def _delivery(exchange: str) -> Any:
    from motia_celery.broker import wire
    from motia_celery.model.event import Event

    event = Event(topic="noop", data={})
    return SimpleNamespace(
        body=b"{}",
        properties={
            **wire.event_properties(event),
            "application_headers": wire.event_headers(event),
            "content_type": wire.CONTENT_TYPE,
            "content_encoding": "utf-8",
        },
        content_type=wire.CONTENT_TYPE,
        delivery_info={"exchange": exchange, "routing_key": "noop", "delivery_tag": 1},
        delivery_tag=1,
    )


if __name__ == "__main__":
    main()
