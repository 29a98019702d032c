"""Every `motia-celery …` and `curl …` of the pages, typed at a running app; and code that reads it.

Not here are the commands that go on until they are stopped; what becomes of them is proved by
``test_dev``, ``test_published`` and ``test_procfile``, which carry out the pages' lines too.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from acceptance.conftest import Example, free_port, order, type_requests, wait_for_web
from integration.apps import ROOT, Process, wait_until
from unit.test_docs import Snippet, snippets

#: They run until they are stopped, or make what is there already.
ELSEWHERE = {"dev", "start", "web", "worker", "beat", "flower", "release", "create"}
#: They take away what others look at, so they come last.
LAST = ("dlq replay", "dlq drop", "state delete", "cancel", "generate")
#: A person at a terminal would be asked.
ASKING = ("dlq drop", "cancel queued")
_ID = re.compile(r"^(ID|[0-9a-f]{4,8}|[0-9a-f]{8}-?…)$")


def lines(program: str) -> list[str]:
    """The lines of the pages' shell snippets that begin with a program, each once."""
    found: list[str] = []
    for snippet in snippets("sh", ""):
        found += [line.strip() for line in snippet.text.replace("\\\n", " ").splitlines()]
    return [line for line in dict.fromkeys(found) if line.startswith(f"{program} ")]


def commands() -> list[list[str]]:
    """The words of each command, without comments, in an order in which all of them work."""
    found = [shlex.split(line, comments=True)[1:] for line in lines("motia-celery")]
    ours = [words for words in found if words[0] not in ELSEWHERE]
    unique = [list(words) for words in dict.fromkeys(map(tuple, ours))]
    return sorted(unique, key=lambda words: " ".join(words).startswith(LAST))


class Shop:
    """The tutorial's app under ``dev``, with an order whose payment is a dead letter."""

    def __init__(self, folder: Path) -> None:
        nowhere = dict.fromkeys(("AMQP_URL", "REDIS_URL", "CLOUDAMQP_URL", "RABBITMQ_URL"), "")
        self.example = Example(folder, **nowhere)
        self.folder = folder
        # The gateway's first failure is its last.
        step = folder / "steps" / "orders" / "charge_card_step.py"
        step.write_text(step.read_text().replace('"maxRetries": 4', '"maxRetries": 0'))
        self.port = free_port()
        self.dev = self.example.start("-m", "motia_celery", "dev", "--port", str(self.port))
        wait_for_web(f"http://127.0.0.1:{self.port}", self.dev)

    def run(self, *words: str) -> tuple[int, str]:
        """A command's exit code, and all that it wrote."""
        variables = {n: v for n, v in os.environ.items() if not n.startswith("MOTIA_")}
        environment = {**variables, "PYTHONPATH": str(ROOT), **self.example.environment}
        log = self.folder / "command.log"
        log.unlink(missing_ok=True)
        code = Process.fork(words, self.folder, environment, log).wait(60)
        return code, log.read_text()

    def python(self, code: str) -> str:
        """What a program prints."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env={**environment, **self.example.environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, *words: str) -> list[dict[str, str]]:
        """The objects that a command prints."""
        code, text = self.run(*words, "--json")
        assert code == 0, text
        return [json.loads(line) for line in text.splitlines()]

    def letters(self) -> list[dict[str, str]]:
        return wait_until(lambda: self.read("dlq", "list"), "a dead letter")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("docs") / "shop")
    order(f"http://127.0.0.1:{made.port}", "lamp")
    yield made
    made.example.close()


def test_every_request_is_answered(shop: Shop) -> None:
    """The orders' ones here; those of the other templates in ``test_published``."""
    asked = [line for line in lines("curl") if "localhost:3000/orders" in line]
    assert "lamp" in type_requests(asked, shop.port)


def test_every_command_does_what_it_says(shop: Shop) -> None:
    """With ids that there are, in place of those of the pages."""
    shop.letters()
    assert shop.run("state", "set", "orders", "17", "1")[0] == 0
    identity: dict[str, Callable[[], str]] = {
        "dlq": lambda: shop.letters()[0]["id"],
        "run": lambda: shop.read("runs", "--status", "failed")[0]["id"],
        "trace": lambda: shop.read("runs", "--status", "failed")[0]["trace_id"],
        "cancel": lambda: "8cb96f40-0000-5000-8000-000000000001",
    }
    done = []
    for words in commands():
        if words[0] in identity:
            words = [identity[words[0]]() if _ID.match(word) else word for word in words]
        words = ["check" if word == "COMMAND" else word for word in words if word != "--follow"]
        target = words.index(">") if ">" in words else len(words)
        said = ["--yes"] if " ".join(words).startswith(ASKING) else []
        code, text = shop.run(*words[:target], *said)
        for name in words[target + 1 :]:
            (shop.folder / name).write_text(text)
        assert code == 0, f"motia-celery {' '.join(words)}: {code}\n{text}"
        assert "Traceback (most recent call last)\n" not in text or words[0] in ("run", "dlq")
        done.append(words[0])
    assert {"runs", "run", "trace", "logs", "dlq", "state", "pause", "cancel"} <= set(done)


def test_a_failure_is_one_line(shop: Shop) -> None:
    """Celery's own, with the event's data and a traceback of its own, is not there."""
    shop.letters()
    assert "Failed for the last time" in shop.dev.output
    assert "raised unexpected" not in shop.dev.output


def test_code_that_reads_runs_and_dead_letters_runs(shop: Shop) -> None:
    (letter, *_) = shop.letters()
    (runs,) = _python("docs/observe.md", "RunFilter")
    (dead,) = _python("docs/dead-letters.md", "DeadLetters(")
    head = """
import os
from motia_celery.run.environment import read_running
os.environ["REDIS_URL"] = read_running().redis
"""
    assert "charge-card" in shop.python(f"{head}\n{runs.text}\nprint(record.summary.step)")
    app = """
from motia_celery.run.app import App
settings = read_running()
plan = App(settings).plan
"""
    text = dead.text.replace("3f2a81c0", letter["id"][:13])
    shop.python(head + app + text)


def _python(page: str, name: str) -> list[Snippet]:
    return [one for one in snippets("python") if one.page == page and name in one.text]
