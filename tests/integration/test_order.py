"""fifo Steps: a group's messages are run in the order of their emits, whatever dies meanwhile."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

from integration.apps import Project, wait_until

FIFO_STEP = """
import asyncio
import json
import os
import random
import time
from pathlib import Path

NOTES = Path(__file__).parent.parent / "notes"
config = {config!r}


def note(what, data, context):
    line = {
        "what": what, "group": data["group"], "number": data["number"], "run": context.run_id,
        "attempt": context.attempt, "pid": os.getpid(), "at": time.time(),
    }
    with open(NOTES / config["name"], "a") as file:
        file.write(json.dumps(line) + "\\n")


async def handler(data, context):
    note("begun", data, context)
    await asyncio.sleep(random.uniform(*data.get("sleep", (0, 0.02))))
    if context.attempt <= data.get("fails", 0):
        note("failed", data, context)
        raise ValueError("fails")
    note("done", data, context)
"""


def fifo(project: Project, name: str = "ordered", retries: int = 3, **queue: Any) -> None:
    project.step(
        name,
        ["work"],
        source=FIFO_STEP,
        infrastructure={"queue": {"type": "fifo", "maxRetries": retries, **queue}},
        retry={"backoff": "fixed", "delaySeconds": 0.05, "jitter": 0},
    )


def emit(project: Project, group: str, number: int, **data: Any) -> None:
    project.emit("work", {"group": group, "number": number, **data}, group=group)


def test_a_groups_messages_run_in_order(project: Project) -> None:
    fifo(project)
    project.step("standard", ["work"], source=FIFO_STEP)
    project.worker()
    for number in range(10):
        for group in ("a", "b"):
            emit(project, group, number, fails=number % 2)
    project.wait_for("ordered", 20)
    for group in ("a", "b"):
        done = [n["number"] for n in project.notes("ordered", "done") if n["group"] == group]
        assert done == list(range(10))
    project.wait_for("standard", 20)
