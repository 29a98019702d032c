"""Tiny projects of Steps in a folder, and the processes that run them.

What a handler did is read from the lines that it wrote (``Project.notes``), never from logs.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from integration.forks import Fork
from kombu import Connection

from motia_celery.broker.connection import open_connection
from motia_celery.broker.publisher import Publisher
from motia_celery.model.event import Event
from motia_celery.plan.topology import Names, QueuePlan, Topology
from motia_celery.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0

#: What every handler of a test project does, as its event's data says.
ACTS = """
import asyncio
import json
import os
import time
from pathlib import Path

NOTES = Path(__file__).parent / "notes"


def note(what, name, data, context):
    line = json.dumps(
        {
            "what": what,
            "data": data,
            "run": context.run_id,
            "attempt": context.attempt,
            "topic": context.topic,
            "trace": context.trace_id,
            "pid": os.getpid(),
            "at": time.time(),
        }
    )
    with open(NOTES / name.replace("/", "-"), "a") as file:
        file.write(line + "\\n")


def begin(name, data, context):
    note("begun", name, data, context)
    wishes = data if isinstance(data, dict) else {}
    if name in wishes.get("dies", []):
        os._exit(1)
    return wishes


def end(name, wishes, data, context):
    if context.attempt <= wishes.get("fails", {}).get(name, 0):
        raise ValueError(f"{name} fails attempt {context.attempt}")
    note("done", name, data, context)


async def act(name, data, context):
    wishes = begin(name, data, context)
    await asyncio.sleep(wishes.get("sleep", 0))
    for topic in wishes.get("emits", []):
        await context.emit(topic=topic, data={"from": name, "token": wishes.get("token")})
    end(name, wishes, data, context)


def act_in_thread(name, data, context):
    wishes = begin(name, data, context)
    time.sleep(wishes.get("sleep", 0))
    end(name, wishes, data, context)
"""

ASYNC_STEP = """
from acts import act

config = {config!r}


async def handler(data, context):
    await act(config["name"], data, context)
"""

SYNC_STEP = """
from acts import act_in_thread

config = {config!r}


def handler(data, context):
    act_in_thread(config["name"], data, context)
"""


def wait_until(
    condition: Callable[[], Any], what: str, seconds: float = 60, pause: float = 0.05
) -> Any:
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(pause)
    return value


@dataclass(frozen=True)
class Letter:
    """A message read from a queue."""

    body: bytes
    headers: dict[str, Any]
    properties: dict[str, Any]

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Process:
    """A process of the project in a process group of its own; its output is in ``log``."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: dict[str, str],
        log: Path,
        program: str = sys.executable,
    ) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | Fork
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [program, *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @classmethod
    def fork(
        cls, arguments: Sequence[str], folder: Path, environment: dict[str, str], log: Path
    ) -> Process:
        """``motia-celery …``; see ``forks.py``."""
        made = cls.__new__(cls)
        made.log = log
        log.touch()
        made._process = Fork(arguments, folder, environment, (Path(os.devnull), log, log))
        made.pid = made._process.pid
        return made

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def words(self) -> str:
        """The output in one line, however it was wrapped."""
        return " ".join(self.output.split())

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for_line(self, text: str, seconds: float = START_SECONDS) -> None:
        """Returns once it has written ``text``; fails at once when it has ended."""
        wait_until(lambda: text in self.output or not self.running, f"{text!r}", seconds)
        assert text in self.output, f"ended with {self._process.returncode}:\n{self.output}"

    def wait(self, seconds: float = 90) -> int:
        """Its exit code."""
        return self._process.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to it alone."""
        self._process.send_signal(number)

    def terminate(self, seconds: float = 90) -> int:
        """SIGTERM as a platform sends it; gives the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """``kill -9`` to it and to what it started."""
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Project:
    """A project of Steps. ``amqp_url`` None makes Redis its broker too."""

    def __init__(
        self, folder: Path, prefix: str, redis_url: str, amqp_url: str | None, **settings: object
    ) -> None:
        self.folder = folder
        self.prefix = prefix
        self.names = Names(prefix)
        self._own = {"PREFIX": prefix, "REDIS_URL": redis_url, "LOG_FORMAT": "json"} | {
            name.upper(): str(value) for name, value in settings.items()
        }
        if amqp_url:
            self._own["BROKER_URL"] = amqp_url
        self._processes: list[Process] = []
        self._plans: dict[str, QueuePlan] = {}
        self._publisher: Publisher | None = None
        for name in ("steps", "notes", "logs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "acts.py").write_text(ACTS)

    # Steps

    def step(
        self,
        name: str,
        subscribes: Sequence[str] = (),
        *,
        retries: int = 1,
        sync: bool = False,
        source: str | None = None,
        **config: Any,
    ) -> None:
        """Writes an event Step; ``source`` in place of the usual handler."""
        full = {
            "type": "event",
            "name": name,
            "subscribes": list(subscribes),
            "infrastructure": {"queue": {"maxRetries": retries}},
            **config,
        }
        template = source or (SYNC_STEP if sync else ASYNC_STEP)
        self.file(name).write_text(template.replace("{config!r}", repr(full)))
        options = full["infrastructure"].get("queue", {})
        self._plans[name] = QueuePlan(
            name=self.names.queue(name),
            step=name,
            topics=tuple(full["subscribes"]),
            partitions=options.get("partitions", 8) if options.get("type") == "fifo" else 0,
        )

    def remove(self, name: str) -> None:
        """Deletes a Step's file."""
        self.file(name).unlink()
        del self._plans[name]

    def file(self, name: str) -> Path:
        return self.folder / "steps" / f"{re.sub(r'[^a-z]', '_', name)}_step.py"

    def queue(self, step: str) -> str:
        return self.names.queue(step)

    def plan(self, step: str) -> QueuePlan:
        return self._plans[step]

    @property
    def topology(self) -> Topology:
        return Topology(self.names, tuple(self._plans.values()))

    # What the handlers wrote

    def notes(self, step: str, what: str | None = None, token: str | None = None) -> list[Any]:
        """The lines of one Step's handler, as dicts."""
        file = self.folder / "notes" / step.replace("/", "-")
        # A line that is being written has no end yet.
        lines = file.read_text().rpartition("\n")[0].splitlines() if file.exists() else []
        found = [json.loads(line) for line in lines]
        return [
            line
            for line in found
            if (what is None or line["what"] == what)
            and (token is None or _token(line["data"]) == token)
        ]

    def wait_for(
        self,
        step: str,
        count: int = 1,
        what: str = "done",
        token: str | None = None,
        seconds: float = 60,
    ) -> list[Any]:
        """The Step's lines once there are ``count`` of them."""
        wait_until(
            lambda: len(self.notes(step, what, token)) >= count,
            f"{count} runs of {step} {what}",
            seconds,
        )
        return self.notes(step, what, token)

    # Processes

    def environment(self, **settings: object) -> dict[str, str]:
        """The variables of the project's processes."""
        own = self._own | {name.upper(): str(value) for name, value in settings.items()}
        return {
            **{n: v for n, v in os.environ.items() if not n.startswith("MOTIA_")},
            **{f"MOTIA_{name}": value for name, value in own.items()},
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def settings(self, **settings: object) -> Settings:
        """The settings that the project's processes get."""
        return load_settings(self.folder, self.environment(**settings))

    def start(self, *arguments: str, **settings: object) -> Process:
        """``python …`` in the project's folder."""
        return self._started(Process, arguments, settings)

    def _started(
        self,
        start: Callable[[Sequence[str], Path, dict[str, str], Path], Process],
        arguments: Sequence[str],
        settings: dict[str, object],
    ) -> Process:
        log = self.folder / "logs" / f"{len(self._processes)}.log"
        process = start(arguments, self.folder, self.environment(**settings), log)
        self._processes.append(process)
        return process

    def command(self, *arguments: str, **settings: object) -> Process:
        """``motia-celery …``."""
        return self._started(Process.fork, arguments, settings)

    def ask(self, *arguments: str, **settings: object) -> Process:
        """``motia-celery …``, once it has ended."""
        process = self.command(*arguments, **settings)
        process.wait()
        return process

    def worker(self, *arguments: str, **settings: object) -> Process:
        """``motia-celery worker …``, once it is ready."""
        process = self.command("worker", *arguments, **settings)
        process.wait_for_line("worker.ready")
        return process

    def celery_worker(self, *arguments: str, **settings: object) -> Process:
        """``celery -A motia_celery.app worker …``, once it is ready."""
        command = ("-m", "celery", "-A", "motia_celery.app", "worker", *arguments)
        process = self.start(*command, **settings)
        process.wait_for_line("worker.ready")
        return process

    def release(self, **settings: object) -> Process:
        """``motia-celery release``, once it has ended."""
        return self.ask("release", **settings)

    def close(self) -> None:
        """Ends everything, and prints what the processes said, for the report of a failure."""
        for process in self._processes:
            process.kill()
        self.print_logs()
        if self._publisher is not None:
            self._publisher.close()

    def log_sizes(self) -> list[int]:
        return [process.log.stat().st_size for process in self._processes]

    def print_logs(self, since: Sequence[int] = ()) -> None:
        """Prints the logs, from ``since`` on."""
        for index, process in enumerate(self._processes):
            start = since[index] if index < len(since) else 0
            text = process.log.read_bytes()[start:].decode(errors="replace")
            print(f"--- {process.log.name} (pid {process.pid})\n{text[-20_000:]}")

    # The broker

    @property
    def publisher(self) -> Publisher:
        """A publisher of the test's own process."""
        if self._publisher is None:
            self._publisher = Publisher(self.settings(), self.topology)
        return self._publisher

    def emit(self, topic: str, data: Any = None, **fields: Any) -> Event:
        """Emits an event, and gives it."""
        event = Event(topic=topic, data=data, **fields)
        self.publisher.emit_blocking(event)
        return event

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A kombu channel on a connection of its own."""
        with self.connection() as connection:
            yield connection.default_channel

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with open_connection(self.settings()) as connection:
            yield connection

    def depth(self, queue: str) -> int:
        """How many messages are ready in a queue."""
        with self.channel() as channel:
            if not self.settings().uses_rabbitmq:
                return int(channel._size(queue))  # an empty queue is none at all there
            return int(channel.queue_declare(queue, passive=True).message_count)

    def exists(self, queue: str) -> bool:
        """Whether the queue is there."""
        with self.connection() as connection:
            try:
                connection.default_channel.queue_declare(queue, passive=True)
            except connection.channel_errors:
                return False
        return True

    def publish(
        self,
        queue: str,
        body: bytes | str,
        *,
        headers: dict[str, Any] | None = None,
        content_type: str = "application/json",
        content_encoding: str = "utf-8",
        exchange: str = "",
        **properties: Any,
    ) -> None:
        """Publishes anything at all, straight to a queue."""
        with self.channel() as channel:
            message = channel.prepare_message(
                body,
                priority=properties.pop("priority", None),
                content_type=content_type,
                content_encoding=content_encoding,
                headers=headers or {},
                properties={"delivery_mode": 2, **properties},
            )
            channel.basic_publish(message, exchange=exchange, routing_key=queue)

    def take(self, queue: str) -> list[Letter]:
        """Takes every message out of a queue."""
        found = []
        with self.channel() as channel:
            channel.auto_decode = False
            while (raw := channel.basic_get(queue, no_ack=True)) is not None:
                body = raw.body if self.settings().uses_rabbitmq else None
                message = channel.message_to_python(raw)
                body = message.body if body is None else body
                found.append(
                    Letter(
                        body.encode() if isinstance(body, str) else bytes(body),
                        dict(message.headers or {}),
                        dict(message.properties),
                    )
                )
        return found

    def dead_letters(self, count: int = 1, seconds: float = 60) -> list[Letter]:
        """Takes the dead letters, once there are ``count`` of them."""
        found: list[Letter] = []

        def enough() -> bool:
            found.extend(self.take(self.names.dead_letter_queue))
            return len(found) >= count

        wait_until(enough, f"{count} dead letters", seconds, pause=0.1)
        time.sleep(0.15)  # one that is there twice shows itself
        return found + self.take(self.names.dead_letter_queue)


def _token(data: Any) -> Any:
    return data.get("token") if isinstance(data, dict) else data
