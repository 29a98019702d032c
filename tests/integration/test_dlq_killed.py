"""A replay that is killed half-way: nothing is lost, and what is repeated keeps its run id."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress

from integration.apps import Project, wait_until
from integration.letters import bury, dead_letters, waiting

LETTERS = 500
ROUNDS = 40


def test_a_replay_that_is_killed_loses_nothing(project: Project) -> None:
    """``kill -9`` at random points, again and again, until no letter is left."""
    project.step("pay", ["paid"], retries=0)
    ids = bury(project, "pay", LETTERS)
    project.worker()
    kills = 0
    for _ in range(ROUNDS):
        if not dead_letters(project).list(limit=0).total:
            break
        kills += kill_half_way(project)
    with suppress(AssertionError):  # the figures say more
        wait_until(lambda: is_replayed(project, ids), "every run", 120)
    ran = done(project)
    lost, repeated = set(ids) - set(ran), sum(ran.values()) - len(ran)
    print(f"sent {LETTERS} executed {sum(ran.values())} lost {len(lost)} repeated {repeated}")
    print(f"killed {kills} times")
    assert not lost
    assert set(ran) == set(ids)
    assert waiting(project) == []
    assert kills


def kill_half_way(project: Project) -> bool:
    """Whether a replay was killed before it ended."""
    before = sum(done(project).values())
    replay = project.command("dlq", "replay", "--all")
    wait_until(
        lambda: sum(done(project).values()) > before or not replay.running,
        "the first run",
        60,
        0.002,
    )
    time.sleep(random.uniform(0, 0.03))
    running = replay.running
    replay.kill()
    return running


def is_replayed(project: Project, ids: list[str]) -> bool:
    """Whether all have run; letters that a killed replay held are back after a moment, so again."""
    if waiting(project):
        project.command("dlq", "replay", "--all").wait()
    return not waiting(project) and set(done(project)) >= set(ids)


def done(project: Project) -> Counter[str]:
    """How often each run ended."""
    return Counter(note["run"] for note in project.notes("pay", "done"))
