"""A scenario: a fault, and what may be lost by it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from faults.stage import Servers, Stage, Transport
from faults.tally import Tally

Play = Callable[[Stage], Tally]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """``play`` injects the fault. ``loses`` is true of the control runs, which must lose."""

    name: str
    play: Play
    transports: tuple[Transport, ...] = ("rabbitmq",)
    loses: bool = False
    repeats: bool = True

    @property
    def what(self) -> str:
        """Its fault in a sentence."""
        return (self.play.__doc__ or "").split("\n\n")[0].strip()

    def run(self, folder: Path, servers: Servers, *, long: bool = False) -> Tally:
        """Plays it, and gives the count."""
        started = time.monotonic()
        stage = Stage(folder, servers, long=long)
        try:
            tally = self.play(stage)
            return replace(tally, seconds=time.monotonic() - started)
        finally:
            stage.close()

    def verdict(self, tally: Tally, transport: Transport) -> str:
        """What is wrong with the tally; empty when nothing is."""
        if self.loses:
            return "" if tally.lost else "the control run lost nothing: the harness sees no loss"
        faults = []
        if tally.lost and transport == "rabbitmq":
            faults.append(f"{tally.lost} lost, such as {tally.missing[:3]}")
        if tally.strangers:
            faults.append(f"{tally.strangers} repeats under another run id")
        if tally.repeated and not self.repeats:
            faults.append(f"{tally.repeated} repeated")
        if not tally.sent:
            faults.append("nothing was sent")
        return "; ".join(faults)


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str,
    *transports: Transport,
    loses: bool = False,
    repeats: bool = True,
) -> Callable[[Play], Scenario]:
    """Makes a scenario of a function; for RabbitMQ alone where no transport is named."""

    def register(play: Play) -> Scenario:
        made = SCENARIOS[name] = Scenario(
            name=name,
            play=play,
            transports=transports or ("rabbitmq",),
            loses=loses,
            repeats=repeats,
        )
        return made

    return register
