"""motia-celery in its variants."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field

from motia_celery.broker.publisher import Publisher
from motia_celery.model.event import Event
from motia_celery.plan.topology import Names, Topology
from motia_celery.settings import load_settings
from tests.benchmarks.arena import Place
from tests.benchmarks.inside.bench_ticks import PAYLOAD
from tests.benchmarks.peers.peer import PREFETCH
from tests.benchmarks.processes import Command, clean_environment
from tests.benchmarks.step_folders import copy_steps


@dataclass(frozen=True)
class Ours:
    """One variant: its settings beside the defaults, and the folder of Steps that it runs.

    ``steps`` is the folder's name below ``steps/``; without it, it is the task's.
    """

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    steps: str = ""
    prefetch: int = PREFETCH

    @property
    def configuration(self) -> str:
        own = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"motia-celery worker, prefetch={self.prefetch}; {own}"

    def queue(self, place: Place, task: str) -> str:
        return Names(place.prefix).queue(task)

    def environment(self, place: Place) -> dict[str, str]:
        """The variables of its processes."""
        settings = {
            "broker_url": place.broker_url,
            "redis_url": place.arena.redis_url,
            "prefix": place.prefix,
            "log_level": "warning",
            "prefetch": str(self.prefetch),
            **self.settings,
        }
        return {f"MOTIA_{name.upper()}": value for name, value in settings.items()}

    def install(self, place: Place, steps: str) -> None:
        """Copies a folder of Steps into the project, and brings the broker to them."""
        copy_steps(self.steps or steps, place.folder)
        self.release(place)

    def release(self, place: Place) -> None:
        """``motia-celery release``."""
        place.run(self.command(place, "release"))

    def command(self, place: Place, *arguments: str) -> Command:
        """``motia-celery …``."""
        program = [sys.executable, "-m", "motia_celery", *arguments]
        return Command(program, place.folder, self.environment(place))

    def seed(self, place: Place, task: str) -> None:
        self.install(place, task)
        self.emit(place, task, PAYLOAD)

    def emit(self, place: Place, topic: str, data: object) -> None:
        """Emits an event from this process."""
        with closing(self.publisher_of(place)) as publisher:
            publisher.emit_blocking(Event(topic=topic, data=data))

    def publisher_of(self, place: Place) -> Publisher:
        """A publisher of this process."""
        environment = {**clean_environment(), **self.environment(place)}
        settings = load_settings(place.folder, environment)
        return Publisher(settings, Topology(Names(place.prefix), ()))

    def worker(self, place: Place, *options: str) -> Command:
        return self.command(place, "worker", *options)

    def web(self, place: Place, port: int) -> Command:
        """One web process."""
        return self.command(place, "web", "--host", "127.0.0.1", "--port", str(port))


OFF = {"records": "false", "task_events": "false"}
DIRECT = Ours("ours", {"direct": "true"})
DIRECT_OFF = Ours("ours, records and events off", {"direct": "true", **OFF})
CELERY = Ours("ours, not direct", {"direct": "false"})
CELERY_OFF = Ours("ours, not direct, records and events off", {"direct": "false", **OFF})
VARIANTS = (DIRECT, DIRECT_OFF, CELERY, CELERY_OFF)
