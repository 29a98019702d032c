"""What is seen of runs costs: a Step that does nothing, with records and task events on and off.

``python -m tests.benchmarks.recording --events 5000 --rounds 5``, in the repository's folder. Each
round starts a worker for each variant in turn, on RabbitMQ, with its queue full; what is compared
is medians. The worker's own processor time tells the cost even on a busy machine; the time on the
clock also has what Redis and the broker do with the rest of the processors. ``--profile`` shows
where the recorder's time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' own modules

from integration.apps import Project, wait_until
from servers import Room

from motia_celery.model.event import Event
from motia_celery.model.run import Run, Success
from motia_celery.model.trace import Trace
from motia_celery.observe.recorder import Recorder
from motia_celery.settings import load_settings

#: Runs that are not counted: connections are opened, and code is warmed.
WARM_UP = 1000

STEP = """
import json
import time
from pathlib import Path

config = {config!r}
TIMES = {"count": 0}
LOGS = "{logs}" == "True"


async def handler(data, context):
    TIMES["count"] += 1
    if LOGS:
        context.logger.info("Charged the card", {"order": 7, "amount": 12.5})
    if TIMES["count"] in (data["from"], data["to"]):
        name = "from" if TIMES["count"] == data["from"] else "to"
        TIMES[name] = [time.monotonic(), time.process_time()]
    if TIMES["count"] == data["to"]:
        Path("times.json").write_text(json.dumps(TIMES))
"""

OFF = {"records": "false", "task_events": "false"}
VARIANTS = {
    "all off": {"direct": "false", **OFF},
    "defaults": {"direct": "false"},
    "direct, off": OFF,
    "direct": {},
}


def measure(project: Project, events: int, settings: dict[str, str]) -> tuple[float, float]:
    """Runs a second, and microseconds of the worker's processor time for each run."""
    times = project.folder / "times.json"
    times.unlink(missing_ok=True)
    data = {"from": WARM_UP, "to": WARM_UP + events, "order": {"id": 7, "items": [1, 2, 3]}}
    fill(project, json.dumps(data), WARM_UP + events)
    worker = project.worker(log_level="warning" if "--quiet" in sys.argv else "info", **settings)
    wait_until(times.exists, "the last run", 300)
    time.sleep(0.2)
    told = json.loads(times.read_text())
    worker.terminate()
    clock, processor = (told["to"][i] - told["from"][i] for i in (0, 1))
    return events / clock, processor / events * 1e6


def fill(project: Project, body: str, count: int) -> None:
    """Puts so many events in the Step's queue."""
    queue = project.queue("nothing")
    with project.channel() as channel:
        for _ in range(count):
            event = project.publisher.message(Event(topic="nothing", data=json.loads(body)))
            message = channel.prepare_message(
                event.body,
                content_type=event.content_type,
                content_encoding=event.content_encoding,
                headers=dict(event.headers),
                properties=dict(event.properties),
            )
            channel.basic_publish(message, exchange="", routing_key=queue)
        # Nothing is confirmed, and what the broker has not written goes with the channel.
        wait_until(lambda: project.depth(queue) >= count, "all messages", 120)


def compare(events: int, rounds: int, logs: bool) -> None:
    """Prints the medians of the variants, and their ratios to the first."""
    room = Room.open()
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    try:
        broker = room.shared_rabbitmq()
        with room.redis() as redis:
            folder = room.folder("project")
            with closing(Project(folder, "bench", redis.url, broker.vhost())) as project:
                source = STEP.replace("{logs}", str(logs))
                project.step("nothing", ["nothing"], source=source)
                project.release()
                for number in range(rounds):
                    # In turns, first one and then the other first, for a machine that gets slower.
                    names = list(VARIANTS)[:: 1 if number % 2 == 0 else -1]
                    for name in names:
                        figures[name].append(measure(project, events, VARIANTS[name]))
    finally:
        room.close()
    report(figures)


def report(figures: dict[str, list[tuple[float, float]]]) -> None:
    """Prints a line for each variant."""
    medians = {
        name: [statistics.median(values) for values in zip(*found, strict=True)]
        for name, found in figures.items()
    }
    first = next(iter(medians.values()))
    for name, (rate, processor) in medians.items():
        print(
            f"{name:12} {rate:8.0f} runs/s ({first[0] / rate:5.3f} of the time), "
            f"{processor:7.1f} µs of processor a run ({processor / first[1]:5.3f})"
        )


def profile(count: int) -> None:
    """Prints where the time of the recorder itself goes; nothing is written."""

    class Nowhere:
        def write(self, *_: object) -> int:
            return 0

        def close(self) -> None:
            """Nothing to close."""

    recorder = Recorder(load_settings(environ={}), Nowhere)  # type: ignore[arg-type]
    recorder._start = lambda: None  # type: ignore[method-assign]
    runs = [
        Run(
            id=str(number),
            step="nothing",
            trigger="event",
            input={"order": {"id": 7, "items": [1, 2, 3]}},
            trace=Trace.start(),
            due_ms=1,
        )
        for number in range(count)
    ]
    started = time.process_time()
    for run in runs:
        recording = recorder.begin(run)
        if recording is not None:
            recording.ended(Success())
    hot = time.process_time() - started
    started = time.process_time()
    recorder._write_waiting()
    thread = time.process_time() - started
    print(
        f"{hot / count * 1e6:.1f} µs a run in its own thread, {thread / count * 1e6:.1f} µs later"
    )
    profiler = cProfile.Profile()
    profiler.enable()
    for run in runs:
        recording = recorder.begin(run)
        if recording is not None:
            recording.ended(Success())
    recorder._write_waiting()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--logs", action="store_true", help="the Step logs a line")
    parser.add_argument("--quiet", action="store_true", help="the line is below the log level")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    if given.profile:
        profile(min(given.events, 10_000))
    else:
        compare(given.events, given.rounds, given.logs)


if __name__ == "__main__":
    main()
