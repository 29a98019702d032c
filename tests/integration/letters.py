"""Dead letters made for tests, and the command that works with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from integration.apps import Project
from integration.forks import Fork

from motia_celery.broker.dead_letters import DeadLetters
from motia_celery.model.event import Event, run_id
from motia_celery.model.run import RunError

ERROR = RunError("ValueError", "no more lamps", "steps/pay_step.py:7", "Traceback: line 7\n")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    output: str
    errors: str

    @property
    def letters(self) -> list[dict[str, Any]]:
        """The JSON objects that it printed."""
        return [json.loads(line) for line in self.output.splitlines()]


def dlq(project: Project, *arguments: str, given: str = "", **variables: str) -> Done:
    """``motia-celery dlq …``, once it has ended; it must not write a traceback."""
    environment = project.environment() | {"COLUMNS": "120"} | variables
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("input", "output", "errors")]
        files[0].write_text(given)
        code = Fork(
            ["dlq", *arguments], project.folder, environment, (files[0], files[1], files[2])
        ).wait(90)
        done = Done(code, *(file.read_text() for file in files[1:]))
    assert "Traceback (most recent call last)" not in done.errors, done.errors
    return done


def dead_letters(project: Project) -> DeadLetters:
    return DeadLetters(project.settings(), project.topology.queues)


def bury(project: Project, step: str, count: int = 1, error: RunError = ERROR) -> list[str]:
    """Makes dead letters of one Step, as a worker does; gives their ids."""
    plan, ids = project.plan(step), []
    buried = []
    for number in range(count):
        topic = (plan.topics or ("",))[0]
        event = Event(topic=topic, data={"token": f"{step}-{number}", "n": number})
        ids.append(run_id(event.id, plan.name))
        soon = project.publisher.bury_soon(event, plan, error, run_id=ids[-1], attempts=2)
        buried.append(soon)
    for soon in buried:
        soon.result(60)
    return ids


def waiting(project: Project) -> list[str]:
    """The ids of the dead letters, in the order of the queue."""
    return [letter.id for letter in dead_letters(project).each()]
