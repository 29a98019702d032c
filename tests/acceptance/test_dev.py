"""``motia-celery dev`` with nothing installed and nothing set."""

from __future__ import annotations

import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest
from acceptance.conftest import Example, free_port, order, settled, wait_for_web
from integration.apps import Process, wait_until

from motia_celery.stores.embedded import data_directory

_NO_SERVERS = dict.fromkeys(("AMQP_URL", "REDIS_URL", "CLOUDAMQP_URL", "RABBITMQ_URL"), "")


@pytest.fixture
def dev(make_example: Any) -> tuple[Example, Process, str]:
    example = make_example(**_NO_SERVERS)
    port = free_port()
    process = example.start("-m", "motia_celery", "dev", "--port", str(port))
    address = f"http://127.0.0.1:{port}"
    wait_for_web(address, process)
    return example, process, address


def test_the_example_runs_without_any_server(dev: tuple[Example, Process, str]) -> None:
    """A request starts a flow, events run, the failing gateway is retried, a cron fires."""
    _, process, address = dev

    paid = settled(address, order(address, "lamp", 2))
    rejected = settled(address, order(address, "table", 5))

    assert paid["status"] == "paid"
    assert paid["receipt"]["amount"] == 40
    assert rejected["status"] == "rejected"
    assert httpx.get(f"{address}/orders/none").status_code == 404
    metrics = httpx.get(f"{address}/metrics", timeout=60)
    assert 'motia_celery_runs_total{step="create-order",trigger="http"' in metrics.text
    assert httpx.get(f"{address}/metrics", headers={"via": "a tunnel"}).status_code == 403
    wait_until(lambda: re.search(r"worker .*restock .*Looked", process.output), "a cron line", 60)
    assert re.search(r"web +.*create-order .*Order accepted", process.output)
    assert re.search(r"worker +.*charge-card .*Card charged", process.output)


def test_the_workbench_is_on(dev: tuple[Example, Process, str]) -> None:
    """Its address is printed, and is that of an app that may be looked into."""
    _, process, address = dev
    assert re.search(rf"Workbench +{address}/__workbench\n", process.output)
    app = httpx.get(f"{address}/__workbench/api/app").json()
    assert (app["broker_kind"], app["environment"]) == ("redis", "development")
    assert httpx.get(f"{address}/__workbench/api/steps/notify").json()["source"]["line"]


def test_a_changed_step_is_live_within_a_second(dev: tuple[Example, Process, str]) -> None:
    """Edited, broken, mended: the answer follows, and the other routes stay."""
    example, process, address = dev
    file = example.folder / "steps" / "hello_step.py"

    def answer() -> Any:
        response = httpx.get(f"{address}/hello", timeout=5)
        return response.text if response.status_code == 200 else None

    # Of one length: saved within a second, only their text tells them apart.
    for word in ("one", "two", "six"):
        file.write_text(_hello(word))
        changed = time.monotonic()
        wait_until(lambda expected=word: answer() == expected, f"the answer {word}", 60, 0.02)
        print(f"live after {time.monotonic() - changed:.2f} s")
    file.write_text("config = {")
    wait_until(lambda: "steps/hello_step.py:1" in process.output, "the syntax error's place", 60)
    wait_until(lambda: "Mend steps/hello_step.py" in process.output, "what is to be done", 60)
    assert answer() == "six"
    assert order(address, "lamp")
    file.write_text(_hello("ten"))
    wait_until(lambda: answer() == "ten", "the mended answer", 60)


def test_all_that_a_step_depends_on_is_live(dev: tuple[Example, Process, str]) -> None:
    """Its helper, a variable of `.env`, a setting, a stream; and TypeScript, whose broken save
    leaves the last good version running."""
    example, process, address = dev
    folder = example.folder

    def answers(path: str, text: str) -> None:
        wait_until(
            lambda: text in httpx.get(f"{address}{path}", timeout=60).text, f"{text} of {path}", 60
        )

    (folder / "lib").mkdir()
    (folder / "lib" / "words.py").write_text("WORD = 'one'\n")
    (folder / "steps" / "tell_step.py").write_text(_TELL)
    answers("/tell", "one | none | 10485760 | ")
    (folder / "lib" / "words.py").write_text("WORD = 'two'\n")
    answers("/tell", "two | ")
    (folder / ".env").write_text("TOLD=three\n")
    answers("/tell", "two | three | ")
    (folder / "config" / "default.toml").write_text("body_limit_bytes = 4444\n")
    answers("/tell", "three | 4444 | ")
    (folder / "steps" / "news_stream.py").write_text(_NEWS)
    answers("/tell", "4444 | news")

    hallo, never = (folder / "steps" / f"{name}.step.ts" for name in ("hallo", "never"))
    never.write_text(_HALLO.replace("hallo", "never").replace("WORD", "never"))
    hallo.write_text(_HALLO.replace("WORD", "eins"))
    answers("/hallo", "eins")
    hallo.write_text(_HALLO.replace("WORD", "zwei"))
    # One that is still starting would read what is broken below.
    wait_until(lambda: _web_processes(process, address) == [_answering(address)], "one web", 60)
    hallo.write_text("export const config = {")
    wait_until(lambda: "Mend steps/hallo.step.ts" in process.output, "what is to be done", 60)
    answers("/hallo", "zwei")
    never.write_text("export const config = {")
    wait_until(lambda: "hallo.step.ts, steps/never.step.ts" in process.output, "both of them", 60)
    answers("/never", "never")


def test_no_request_is_dropped_while_the_app_reloads(dev: tuple[Example, Process, str]) -> None:
    """Clients that keep their connection and clients that do not, over ten reloads."""
    example, _, address = dev
    file = example.folder / "steps" / "hello_step.py"
    over = threading.Event()
    answered: list[int] = []

    def visit() -> None:
        with httpx.Client(timeout=60) as kept:
            while not over.is_set():
                for client in (kept, httpx):
                    answered.append(client.get(f"{address}/health/live").status_code)

    with ThreadPoolExecutor(2) as visitors:
        visits = [visitors.submit(visit) for _ in range(2)]
        try:
            for number in range(10):
                file.write_text(_hello(str(number)))
                wait_until(
                    lambda expected=str(number): httpx.get(f"{address}/hello").text == expected,
                    "the new answer",
                    60,
                )
        finally:
            over.set()
        for visit_ in visits:
            visit_.result(60)
    assert set(answered) == {200}


def test_ctrl_c_stops_every_child(dev: tuple[Example, Process, str]) -> None:
    """Nothing is left running, the embedded server included, and its data can be used again."""
    example, process, _ = dev
    family = psutil.Process(process.pid).children(recursive=True)
    assert any("valkey" in child.name() or "redis" in child.name() for child in family)

    process.send(signal.SIGINT)

    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive
    assert "Traceback" not in process.output
    assert data_directory(example.folder).exists()


def test_kill_9_leaves_no_child_behind(dev: tuple[Example, Process, str]) -> None:
    """The children notice that dev is gone, however it went."""
    _, process, _ = dev
    family = psutil.Process(process.pid).children(recursive=True)
    servers = [child for child in family if re.search("valkey|redis", child.name())]

    process.send(signal.SIGKILL)

    _, alive = psutil.wait_procs([child for child in family if child not in servers], timeout=60)
    # The server keeps the data safe until the next dev takes it over; here there is none.
    for server in servers:
        server.kill()
    assert not alive


def test_a_taken_port_gives_the_next_one(
    dev: tuple[Example, Process, str], make_example: Any
) -> None:
    _, _, address = dev
    port = int(address.rpartition(":")[2])
    other = make_example(**_NO_SERVERS)

    process = other.start("-m", "motia_celery", "dev", "--port", str(port))

    process.wait_for_line(f"Port {port} is taken")
    found = re.search(r"App +(http://\S+)", process.output)
    assert found
    wait_for_web(found[1], process)


def test_only_this_machine_reaches_dev(dev: tuple[Example, Process, str]) -> None:
    """dev binds the loopback address, and its own paths refuse foreign hosts."""
    _, process, address = dev
    listening: set[str] = set()
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # what was started for a moment only
            listening |= {
                connection.laddr.ip
                for connection in child.net_connections()
                if connection.status == psutil.CONN_LISTEN
            }
    assert listening <= {"127.0.0.1"}
    foreign = httpx.get(f"{address}/openapi.json", headers={"host": "evil.example"})
    assert foreign.status_code in (400, 403, 421)


_TELL = """
import os

from lib.words import WORD
from motia_celery.run.environment import read_environment

config = {"type": "api", "name": "tell", "path": "/tell", "method": "GET", "emits": []}


async def handler(req, context):
    limit = read_environment().body_limit_bytes
    news = "news" if hasattr(context.streams, "news") else ""
    return {"status": 200, "body": f"{WORD} | {os.environ.get('TOLD', 'none')} | {limit} | {news}"}
"""

_NEWS = """
config = {"name": "news", "schema": None, "baseConfig": {"storageType": "default"}}
"""

_HALLO = """
export const config = { type: 'api', name: 'hallo', path: '/hallo', method: 'GET', emits: [] };
export const handler = async () => ({ status: 200, body: `WORD ${process.ppid}` });
"""


def _web_processes(dev: Process, address: str) -> list[int]:
    """Those that have the port, of what `dev` has started."""
    found, port = [], int(address.rpartition(":")[2])
    for child in psutil.Process(dev.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if any(one.laddr.port == port for one in child.net_connections("tcp")):
                found.append(child.pid)
    return found


def _answering(address: str) -> int:
    word, pid = httpx.get(f"{address}/hallo", timeout=60).text.split()
    return int(pid) if word == "zwei" else 0


def _hello(word: str) -> str:
    return f"""
config = {{"type": "api", "name": "hello", "path": "/hello", "method": "GET", "emits": []}}


async def handler(req, context):
    return {{"status": 200, "body": "{word}", "headers": {{"content-type": "text/plain"}}}}
"""


def test_a_running_step_outlives_a_reload(dev: tuple[Example, Process, str]) -> None:
    """A changed file does not cut what runs: its worker ends beside its successor."""
    example, process, address = dev
    (example.folder / "steps" / "slow_step.py").write_text(_SLOW)
    (example.folder / "steps" / "start_step.py").write_text(_START)
    wait_until(lambda: httpx.post(f"{address}/slow").status_code == 202, "the new route", 60)
    wait_until(lambda: "slow begins attempt 1" in process.output, "the run's begin", 60)
    before = process.output.count("Worker ready")

    (example.folder / "steps" / "orders" / "services" / "gateway.py").touch()
    wait_until(lambda: process.output.count("Worker ready") > before, "the next worker", 60)

    wait_until(lambda: "slow ends attempt 1" in process.output, "the run's end", 60)


_START = """
config = {"type": "api", "name": "start", "path": "/slow", "method": "POST", "emits": ["slow"]}


async def handler(req, context):
    await context.emit(topic="slow", data={})
    return {"status": 202, "body": {}}
"""

_SLOW = """
import asyncio

config = {"type": "event", "name": "slow", "subscribes": ["slow"], "emits": []}


async def handler(data, context):
    context.logger.info(f"slow begins attempt {context.attempt}")
    await asyncio.sleep(2)
    context.logger.info(f"slow ends attempt {context.attempt}")
"""
