"""The app that faults are injected into: three Steps in two languages, and a cron Step.

A request to ``POST /events`` and a direct emit both send the topic ``sent``. The Steps *left*
(Python) and *right* (JavaScript) hear it, and *last* (Python, in a thread) hears what left emits.
Each keeps a value in state and writes a line into the ledger when it has ended. The ledger is a
file, so that no fault of a server can reach it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from integration.apps import ROOT, Process, wait_until
from kombu import Connection
from servers import free_ports

from motia_celery.broker.connection import open_connection
from motia_celery.plan.topology import Names, QueuePlan, Topology
from motia_celery.settings import Settings, load_settings

STEPS = ("left", "right", "last")
TOPICS = {"left": ("sent",), "right": ("sent",), "last": ("passed",), "ticks": ()}
#: Enough attempts to outlast every outage here.
QUEUE = {"queue": {"maxRetries": 12}}

LINES = """
import json
import os
import time


def write(step, token, context):
    line = {
        "step": step,
        "token": token,
        "run": context.run_id,
        "attempt": context.attempt,
        "at": time.time(),
        "pid": os.getpid(),
    }
    with open(os.environ["FAULTS_LEDGER"], "ab", 0) as file:
        file.write(json.dumps(line).encode() + b"\\n")


def is_mended():
    return not os.path.exists(f"{os.environ['FAULTS_LEDGER']}.broken")


def is_first(token):
    try:
        os.close(os.open(f"{os.environ['FAULTS_LEDGER']}.{token}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
"""

ACCEPT = """
config = {
    "type": "api", "name": "accept", "method": "POST", "path": "/events", "emits": ["sent"],
}


async def handler(req, context):
    await context.emit({"topic": "sent", "data": req.body})
    return {"status": 202, "body": {"accepted": True}}
"""

LEFT = f"""
import asyncio

from lines import is_first, is_mended, write

config = {{
    "type": "event", "name": "left", "subscribes": ["sent"], "emits": ["passed"],
    "infrastructure": {QUEUE!r}, "retry": {{"never": ["Hopeless"]}},
}}


class Hopeless(Exception):
    pass


async def handler(data, context):
    if not is_mended():
        raise Hopeless
    if data["fails"] and context.attempt == 1:
        raise RuntimeError("the first attempt fails")
    slow = data["slow"] and is_first(data["token"])
    await asyncio.sleep(data["slow"] if slow else data["work"])
    await context.state.set("left", data["token"], context.run_id)
    await context.emit({{"topic": "passed", "data": data}})
    write("left", data["token"], context)
"""

RIGHT = f"""
import {{ appendFileSync }} from 'node:fs';

export const config = {{
  type: 'event', name: 'right', subscribes: ['sent'], emits: [],
  infrastructure: {json.dumps(QUEUE)},
}};

export const handler = async ({{ token, work }}, {{ runId, attempt, state }}) => {{
  await new Promise((resolve) => setTimeout(resolve, work * 1000));
  await state.set('right', token, runId);
  const [at, pid] = [Date.now() / 1000, process.ppid];
  const line = JSON.stringify({{ step: 'right', token, run: runId, attempt, at, pid }});
  appendFileSync(process.env.FAULTS_LEDGER, line + '\\n');
}};
"""

LAST = f"""
import time

from lines import write

config = {{
    "type": "event", "name": "last", "subscribes": ["passed"], "emits": [],
    "infrastructure": {QUEUE!r},
}}


def handler(data, context):
    time.sleep(data["work"])
    context.state.set("last", data["token"], context.run_id)
    write("last", data["token"], context)
"""

TICKS = """
from lines import write

config = {"type": "cron", "name": "ticks", "cron": "{cron}", "emits": []}


async def handler(context):
    write("ticks", context.run_id, context)
"""

#: A worker whose Celery settings a test changes: what no setting of the product can do.
CHANGED_WORKER = """
import json
import os
import sys

from motia_celery.app import app

changes = json.loads(os.environ["FAULTS_CELERY"])
app.conf.broker_transport_options.update(changes.get("transport", {}))
for task in app.tasks.values():
    if task.name.startswith("step:"):
        task.acks_late = changes.get("acks_late", True)
app.worker_main(["worker", "--loglevel", "info", "--without-mingle"])
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A run that ended."""

    step: str
    token: str
    run: str
    attempt: int
    at: float
    pid: int


class Chain:
    """The app in a folder of its own, with the processes that a platform would run."""

    def __init__(
        self,
        folder: Path,
        redis_url: str,
        amqp_url: str | None,
        *,
        cron: str = "* * * * * *",
        visibility_seconds: float | None = None,
        **settings: object,
    ) -> None:
        self.folder = folder
        self._visibility_seconds = visibility_seconds
        self.names = Names("faults")
        self._own = {
            "MOTIA_ENV": "production",
            "MOTIA_PREFIX": self.names.prefix,
            "MOTIA_REDIS_URL": redis_url,
            "FAULTS_LEDGER": str(folder / "ledger"),
        } | {f"MOTIA_{name.upper()}": str(value) for name, value in settings.items()}
        if amqp_url:
            self._own["MOTIA_BROKER_URL"] = amqp_url
        self._processes: list[Process] = []
        self._write(cron)

    def _write(self, cron: str) -> None:
        shutil.copytree(ROOT / "config", self.folder / "config")
        (self.folder / "steps").mkdir()
        (self.folder / "ledger").touch()
        files = {
            "lines.py": LINES,
            "changed_worker.py": CHANGED_WORKER,
            "steps/accept_step.py": ACCEPT,
            "steps/left_step.py": LEFT,
            "steps/right.step.js": RIGHT,
            "steps/last_step.py": LAST,
            "steps/ticks_step.py": TICKS.replace("{cron}", cron),
        }
        for name, text in files.items():
            (self.folder / name).write_text(text)

    @property
    def topology(self) -> Topology:
        """The queues of its Steps."""
        queues = (
            QueuePlan(name=self.names.queue(step), step=step, topics=topics)
            for step, topics in TOPICS.items()
        )
        return Topology(self.names, tuple(queues))

    def settings(self) -> Settings:
        """The settings of its processes."""
        return load_settings(self.folder, self._own)

    def connection(self) -> Connection:
        """A connection to its broker, in none of its processes."""
        return open_connection(self.settings())

    def break_left(self) -> Callable[[], None]:
        """Makes each run of left a dead letter, until what this gives is called."""
        broken = self.folder / "ledger.broken"
        broken.touch()
        return broken.unlink

    # What ran

    def lines(self) -> list[Line]:
        """The runs that have ended so far."""
        text = (self.folder / "ledger").read_text()
        whole = text[: text.rfind("\n") + 1]
        return [Line(**json.loads(line)) for line in whole.splitlines()]

    def count(self) -> int:
        """How many runs have ended."""
        return (self.folder / "ledger").read_bytes().count(b"\n")

    def wait_for(self, count: int, seconds: float = 60) -> None:
        """Returns once so many runs have ended."""
        wait_until(lambda: self.count() >= count, f"{count} runs", seconds)

    # Processes

    def start(self, *arguments: str, **environment: str) -> Process:
        """``python …`` in its folder."""
        inherited = {n: v for n, v in os.environ.items() if not n.startswith("MOTIA_")}
        own = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self._own, **environment}
        log = self.folder / f"{len(self._processes)}-{arguments[-1].strip('-')}.log"
        process = Process(arguments, self.folder, inherited | own, log)
        self._processes.append(process)
        # The room's guard ends what is named there, should this process be killed.
        with (self.folder.parent / "groups").open("a") as groups:
            groups.write(f"{process.pid}\n")
        return process

    def command(self, *arguments: str, **settings: object) -> Process:
        """``motia-celery …``."""
        own = {f"MOTIA_{name.upper()}": str(value) for name, value in settings.items()}
        return self.start("-m", "motia_celery", *arguments, **own)

    def release(self) -> None:
        """What a deploy runs first."""
        process = self.command("release")
        assert process.wait(60) == 0, process.output

    def run(
        self, *, webs: int = 1, workers: int = 1, **settings: object
    ) -> tuple[list[Web], list[Process]]:
        """Web processes and workers, started together, once all are ready."""
        started = [self._start_web() for _ in range(webs)]
        working = [self._start_worker(**settings) for _ in range(workers)]
        for web in started:
            web.wait()
        return started, [ready(worker) for worker in working]

    def worker(self, *arguments: str, **settings: object) -> Process:
        """A worker that is ready."""
        return ready(self._start_worker(*arguments, **settings))

    def _start_worker(self, *arguments: str, **settings: object) -> Process:
        if self._visibility_seconds is None:
            return self.command("worker", *arguments, **settings)
        assert not arguments
        assert not settings
        # A worker killed while it gave messages back holds that lock: for 300 s by default.
        lock = {"unacked_mutex_expire": int(self._visibility_seconds)}
        timeout = {"visibility_timeout": self._visibility_seconds}
        return self._start_changed(transport=timeout | lock)

    def changed_worker(self, **changes: object) -> Process:
        """A worker with other Celery settings than the product's own, once it is ready."""
        return ready(self._start_changed(**changes))

    def _start_changed(self, **changes: object) -> Process:
        return self.start("changed_worker.py", FAULTS_CELERY=json.dumps(changes))

    def web(self, port: int | None = None) -> Web:
        """A web process that takes requests."""
        web = self._start_web(port)
        web.wait()
        return web

    def _start_web(self, port: int | None = None) -> Web:
        port = port or free_ports(1)[0]
        return Web(self.command("web", host="127.0.0.1", port=port), port)

    def beat(self) -> Process:
        """A beat process, not yet the leader or in waiting."""
        return self.command("beat")

    def logs(self, limit: int = 20_000) -> Iterator[tuple[str, str]]:
        """The end of what each process said."""
        for process in self._processes:
            yield f"{process.log.name} (pid {process.pid})", process.output[-limit:]

    def close(self) -> None:
        """Ends every process, also one that is stopped."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            process.kill()


class Web:
    """A web process and its port."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, seconds: float = 60) -> None:
        """Returns once it is ready, broker and store included."""

        def answers() -> bool:
            assert self.process.running, self.process.output
            with suppress(httpx.TransportError):
                return httpx.get(f"{self.address}/health/ready", timeout=5).status_code == 200
            return False

        wait_until(answers, f"{self.address} is ready", seconds, pause=0.1)


def ready(worker: Process) -> Process:
    """The worker, once it takes deliveries."""
    worker.wait_for_line("worker.ready", 60)
    return worker


def node_of(worker: Process) -> Sequence[psutil.Process]:
    """The Node processes of a worker."""
    return [child for child in _children(worker) if "host.mjs" in " ".join(_command(child))]


def pool_of(worker: Process) -> Sequence[psutil.Process]:
    """The pool processes of a prefork worker."""
    own = _command(psutil.Process(worker.pid))
    return [child for child in _children(worker) if _command(child) == own]


def _children(worker: Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(worker.pid).children(recursive=True)
    return []


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return process.cmdline()
    return []
