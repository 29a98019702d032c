"""A fifo Step that notes what it does, those who emit to it, and the check of the order."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from itertools import pairwise
from typing import Any

from integration.apps import Project

FIFO_STEP = """
import asyncio
import json
import os
import json
import random
import threading
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
    while data.get("waits") and not (NOTES / "go").exists():
        await asyncio.sleep(0.02)
    await asyncio.sleep(random.uniform(*data.get("sleep", (0, 0.02))))
    if context.attempt <= data.get("fails", 0):
        note("failed", data, context)
        raise ValueError("fails")
    note("done", data, context)
"""


def fifo(project: Project, *, retries: int = 3, delay: float = 0.05, **queue: Any) -> None:
    """The Step ``ordered``; a failed run is tried again after ``delay`` seconds."""
    project.step(
        "ordered",
        ["work"],
        source=FIFO_STEP,
        infrastructure={"queue": {"type": "fifo", "maxRetries": retries, **queue}},
        retry={"backoff": "fixed", "delaySeconds": delay, "jitter": 0},
    )


def emit(project: Project, group: str, number: int, **data: Any) -> None:
    """One message of a group.

    ``fails`` is how many attempts fail, ``sleep`` from and to; ``waits``: for :func:`go`.
    """
    project.emit("work", {"group": group, "number": number, **data}, group=group)


def go(project: Project) -> None:
    """Lets those go on that wait."""
    (project.folder / "notes" / "go").touch()


def numbers(project: Project, group: str, what: str = "done") -> list[int]:
    """The numbers of a group's messages, in the order of what happened to them."""
    return [line["number"] for line in project.notes("ordered", what) if line["group"] == group]


def emit_all(project: Project, groups: int, messages: int) -> None:
    """Interleaved, as services do it: every third message comes from one that is not ours."""
    with project.connection() as connection:
        foreign = connection.default_channel
        for number in range(messages):
            for group in range(groups):
                data = {
                    "group": f"g{group}",
                    "number": number,
                    "sleep": [0.0, 0.03],
                    "fails": random.choice([0, 0, 0, 0, 0, 0, 1, 2]),
                }
                if number % 3 == 2 and project.settings().uses_rabbitmq:
                    publish_plainly(foreign, project, data)
                else:
                    project.emit("work", data, group=data["group"])


def publish_plainly(channel: Any, project: Project, data: dict[str, Any]) -> None:
    """As any AMQP client does it: JSON to the events exchange, with the group in a header."""
    message = channel.prepare_message(
        json.dumps(data),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"motia-group": data["group"]},
        properties={"delivery_mode": 2, "message_id": f"{data['group']}-{data['number']}"},
    )
    channel.confirm_select()
    channel.basic_publish(message, exchange=project.names.events, routing_key="work")
    channel.connection.drain_events(timeout=20)


def spans(notes: list[Any]) -> list[tuple[float, float, int]]:
    """When each attempt began and ended; one that was killed has no end, and is left out."""
    found, open_runs = [], {}
    for line in notes:
        key = (line["pid"], line["run"], line["attempt"])
        if line["what"] == "begun":
            open_runs[key] = line
        elif key in open_runs:
            found.append((open_runs.pop(key)["at"], line["at"], line["number"]))
    return found


def first_ends(notes: list[Any]) -> list[int]:
    """The numbers in the order in which they were first done."""
    return list(dict.fromkeys(line["number"] for line in notes if line["what"] == "done"))


def check_order(project: Project, groups: int, messages: int, kills: int) -> None:
    """Each group was run in order, one at a time, nothing lost, and little of it repeated."""
    by_group = defaultdict(list)
    for line in sorted(project.notes("ordered"), key=lambda line: line["at"]):
        by_group[line["group"]].append(line)
    assert len(by_group) == groups
    repeats = 0
    for group, notes in by_group.items():
        done = [line["number"] for line in notes if line["what"] == "done"]
        assert sorted(done) == done, f"{group} out of order: {done}"
        assert first_ends(notes) == list(range(messages)), f"{group} lost some"
        repeats += len(done) - messages
        times = sorted(spans(notes))
        for (_, end, one), (begin, _, two) in pairwise(times):
            assert end <= begin, f"{group}: {one} and {two} at once"
        ids = {(line["number"], line["run"]) for line in notes}
        assert len(ids) == messages, f"{group}: a redelivery had another run id"
    # At most what each partition of a killed worker was running.
    assert repeats <= kills * 8
    assert overlap([(a, b) for n in by_group.values() for a, b, _ in spans(n)]) > 1


def overlap(times: list[tuple[float, float]]) -> int:
    """How many ran at once, at most."""
    moments = [(a, 1) for a, _ in times] + [(b, -1) for _, b in times]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most
