"""A plain Celery app on the same RabbitMQ: it gives Steps events, and Steps give it tasks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pika
import pytest
from integration.apps import ROOT, Process, Project, wait_until

import motia_celery
from motia_celery.errors import ConfigError, EmitError, SettingsError

DOCS = ROOT / "docs"

#: An app that knows nothing of the Steps but where its broker is and what the topic is called.
SHOP = """
import json
import os
import time
from pathlib import Path

from celery import Celery

import motia_celery

app = Celery("shop", broker=os.environ["SHOP_BROKER"], set_as_current=False)
app.conf.update(broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)
app.conf.update(task_create_missing_queue_type="quorum", worker_detect_quorum_queues=True)


@app.task(name="shop.invoice", bind=True)
def invoice(self, order, *, paper=False):
    line = {"id": self.request.id, "order": order, "paper": paper, "at": time.time(),
            "parent": self.request.parent_id, "root": self.request.root_id,
            "traceparent": self.request.get("traceparent")}
    with open(Path(__file__).parent / "invoices", "a") as file:
        file.write(json.dumps(line) + "\\n")
    if order.get("tell"):
        motia_celery.emit(
            "order.invoiced", {"token": order["id"]}, broker=os.environ["SHOP_BROKER"],
            prefix=os.environ["SHOP_PREFIX"], event_id=self.request.id,
        )
"""

ASKS = """
config = {config!r}


async def handler(order, context):
    sent = await context.celery.send_task(
        "shop.invoice", [order], {"paper": True}, queue=order["queue"]
    )
    await context.state.set("sent", order["id"], {"task": sent, "trace": context.trace_id})
    if context.attempt == 1:
        raise ValueError("once more")
"""

SYNC_ASKS = """
config = {config!r}


def handler(order, context):
    from acts import note

    task = context.celery.send_task("shop.invoice", (order,), queue=order["queue"], task_id="mine")
    note("done", config["name"], {"task": task}, context)
"""

NODE_ASKS = """
export const config = { type: 'event', name: 'node-asks', subscribes: ['node.paid'], emits: [] };
export const handler = async (order, { celery, state }) => {
  const options = { args: [order], queue: order.queue, countdown: 0, expires: 60 };
  const task = await celery.sendTask('shop.invoice', options);
  await state.set('sent', order.id, { task });
};
"""


class Shop:
    """The other app's worker, and what its task was given."""

    def __init__(self, project: Project) -> None:
        self._folder = project.folder / "shop"
        self._folder.mkdir()
        (self._folder / "shop.py").write_text(SHOP)
        self.queue = f"{project.prefix}-shop"
        settings = project.settings()
        self._environment = {
            **{n: v for n, v in os.environ.items() if not n.startswith("MOTIA_")},
            "SHOP_BROKER": settings.broker,
            "SHOP_PREFIX": settings.prefix,
            "PYTHONPATH": project.environment()["PYTHONPATH"],
        }
        self.process = self.start()

    def start(self) -> Process:
        command = ("-m", "celery", "-A", "shop", "worker", "-l", "INFO", "-P", "solo")
        more = ("-Q", self.queue, "--without-gossip", "--without-mingle", "-n", f"{self.queue}@%h")
        log = self._folder / "log"
        process = Process((*command, *more), self._folder, self._environment, log)
        process.wait_for_line("ready.")
        return process

    def run(self, code: str) -> str:
        """Python code in the other app's folder."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def invoices(self) -> list[Any]:
        file = self._folder / "invoices"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def shop(on_rabbitmq: Project) -> Any:
    shop = Shop(on_rabbitmq)
    yield shop
    shop.process.kill()
    print(shop.process.output)


def test_events_and_tasks_go_both_ways(on_rabbitmq: Project, shop: Shop) -> None:
    """A Step sends a task, the task emits an event, and a Step runs; one root, and one id each."""
    project = on_rabbitmq
    project.step("asks", ["order.paid"], retries=1, source=ASKS)
    project.step("heard", ["order.invoiced"])
    project.worker()

    emitted = shop.run(
        "import os, motia_celery\n"
        f"order = {{'id': 'o-1', 'tell': True, 'queue': {shop.queue!r}}}\n"
        "print(motia_celery.emit('order.paid', order, broker=os.environ['SHOP_BROKER'],"
        " prefix=os.environ['SHOP_PREFIX']))\n"
        "import sys\n"
        "assert not [name for name in sys.modules if name.endswith('_step')]\n"
    ).strip()

    wait_until(lambda: len(shop.invoices()) == 2, "both attempts' tasks", 60)
    first, second = shop.invoices()
    assert first["id"] == second["id"]  # of both attempts
    assert (first["order"]["id"], first["paper"]) == ("o-1", True)
    assert first["traceparent"].split("-")[1] == second["traceparent"].split("-")[1]
    project.wait_for("heard", 2)  # one for each, with the same run
    assert len({line["run"] for line in project.notes("heard", "done")}) == 1
    assert len(emitted) == 36


def test_every_kind_of_handler_sends_tasks(on_rabbitmq: Project, shop: Shop) -> None:
    """A plain `def`, Node, and an isolated run; all confirmed."""
    project = on_rabbitmq
    for name, isolated in (("sync-asks", False), ("own-process", True)):
        infrastructure = {"handler": {"isolated": isolated}}
        source = SYNC_ASKS
        project.step(name, [f"{name}.paid"], source=source, infrastructure=infrastructure)
    (project.folder / "steps" / "node.step.js").write_text(NODE_ASKS)
    project.worker()
    for topic in ("sync-asks.paid", "own-process.paid", "node.paid"):
        motia_celery.emit(
            topic,
            {"id": topic, "queue": shop.queue},
            broker=project.settings().broker,
            prefix=project.prefix,
        )
    wait_until(lambda: len(shop.invoices()) == 3, "three tasks", 60)
    invoices = {line["order"]["id"]: line for line in shop.invoices()}
    assert invoices["sync-asks.paid"]["id"] == invoices["own-process.paid"]["id"] == "mine"
    assert project.wait_for("sync-asks")[0]["data"] == {"task": "mine"}
    assert project.wait_for("own-process")[0]["data"] == {"task": "mine"}


def test_a_task_for_a_queue_that_is_not_there_fails_the_run(on_rabbitmq: Project) -> None:
    """It is not lost in silence."""
    project = on_rabbitmq
    source = SYNC_ASKS
    project.step("asks", ["paid"], retries=0, source=source)
    worker = project.worker()
    project.emit("paid", {"queue": f"{project.prefix}-nobody"})
    (letter,) = project.dead_letters()
    assert letter.headers["motia-error-type"] == "EmitError"
    assert "no queue took the message" in letter.headers["motia-error-message"]
    assert "declares its queue" in worker.words


def test_the_options_of_an_emit_count(on_rabbitmq: Project) -> None:
    """Delays wait with the broker, and what can not be sent is refused in words."""
    project = on_rabbitmq
    project.step("heard", ["late", "now"])
    project.worker()
    where = {"broker": project.settings().broker, "prefix": project.prefix}
    begun = time.time()
    assert motia_celery.emit("late", {"token": 2}, delay=1, event_id="later", **where) == "later"
    motia_celery.emit("now", {"token": 1}, message_group_id="g", **where)
    found = {line["data"]["token"]: line for line in project.wait_for("heard", 2)}
    assert found.keys() == {1, 2}
    assert found[2]["at"] - begun >= 1
    with pytest.raises(ConfigError, match="delay"):
        motia_celery.emit("now", delay=-1, **where)
    with pytest.raises(ConfigError):
        motia_celery.emit("", **where)
    with pytest.raises(EmitError):
        motia_celery.emit("now", object(), **where)


def test_it_needs_rabbitmq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for broker in (None, "redis://localhost:1/0"):
        with pytest.raises(SettingsError, match="needs RabbitMQ"):
            motia_celery.emit("now", broker=broker)


def test_what_the_pages_show_emits(on_rabbitmq: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """From plain code, a Django view, asyncio, and a client that knows AMQP alone."""
    project = on_rabbitmq
    project.step("heard", ["order.placed", "order.created"])
    assert project.release().wait() == 0
    broker = project.settings().broker
    monkeypatch.setenv("AMQP_URL", broker)
    monkeypatch.setenv("MOTIA_PREFIX", project.prefix)
    database = ModuleType("django.db")
    database.transaction = SimpleNamespace(on_commit=lambda call: call())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "django.db", database)
    blocks = [
        block
        for page in ("celery.md", "events.md")
        for block in re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)
        if re.search(r"motia_celery\.emit|import emit|pika", block)
    ]
    assert len(blocks) == 4
    connection = pika.BlockingConnection(pika.URLParameters(broker))
    names: dict[str, Any] = {"channel": connection.channel()}
    for block in blocks:
        text = block.replace("amqp://guest:guest@localhost:5672/", broker)
        exec(text.replace("motia.events", f"{project.prefix}.events"), names)
        if "def place_order" in text:
            names["place_order"]({"id": 1})
        elif "def checkout" in text:
            names["checkout"](None, SimpleNamespace(id=2))
        elif "def view" in text:
            asyncio.run(names["view"](None))
    connection.close()

    queue = project.queue("heard")
    wait_until(lambda: project.depth(queue) == len(blocks), "an event of each")
