"""TypeScript Steps on queues: what happens to their runs when Node is killed."""

from __future__ import annotations

import contextlib
import time

import psutil
from integration.apps import Project, wait_until

EVENTS = 300

RELAY = """
export const config = {
  type: 'event', name: 'relay', subscribes: ['raw'], emits: ['cooked'],
  infrastructure: { queue: { maxRetries: 6 } },
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const handler = async (data: { token: string }, { emit }: any) => {
  await pause(200);
  await emit({ topic: 'cooked', data });
};
"""


def write_steps(project: Project) -> None:
    project.step("relay", ["raw"], retries=6)
    project.file("relay").unlink()
    (project.folder / "steps" / "relay.step.ts").write_text(RELAY)
    project.step("seen", ["cooked"])


def kill_node(worker_pid: int) -> bool:
    for child in psutil.Process(worker_pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("host.mjs" in part for part in child.cmdline()):
                child.kill()
                return True
    return False


def test_nothing_is_lost_when_node_is_killed_under_load(project: Project) -> None:
    """Every event reaches the Step behind the TypeScript one, on RabbitMQ and on Redis."""
    write_steps(project)
    worker = project.worker(concurrency=20)
    for number in range(EVENTS):
        project.emit("raw", {"token": f"t{number}"})
    kills = 0
    for _ in range(3):
        wait_until(lambda: kill_node(worker.pid), "a Node process to kill", 60)
        kills += 1
        time.sleep(0.7)
    expected = {f"t{number}" for number in range(EVENTS)}

    def seen() -> set[str]:
        return {note["data"]["token"] for note in project.notes("seen")}

    wait_until(lambda: seen() >= expected, "every event", 90)
    assert kills == 3
    assert seen() == expected
    assert worker.terminate() == 0
