"""What a scenario counts: ``sent / executed / lost / repeated``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass

from faults.chain import STEPS, Line

#: A run: the Step and the event that started it, or the tick.
Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counted in runs: one event is heard by three Steps.

    ``lost`` were owed, neither ran to their end nor lie among the dead letters; ``repeated``
    are ends beyond the first; ``strangers`` are repeats under another run id, of which there
    may be none. ``refused`` events were answered with an error.
    """

    sent: int
    executed: int
    dead: int
    lost: int
    repeated: int
    strangers: int
    refused: int = 0
    seconds: float = 0
    missing: tuple[Key, ...] = ()

    def __str__(self) -> str:
        parts = f"{self.sent} sent / {self.executed} executed / {self.lost} lost / "
        return f"{parts}{self.repeated} repeated"


def count(
    sent: Set[str],
    lines: Iterable[Line],
    dead: Set[Key],
    *,
    refused: int = 0,
) -> Tally:
    """The tally of the events that were sent."""
    runs: dict[Key, Counter[str]] = defaultdict(Counter)
    for line in lines:
        if line.step in STEPS:
            runs[line.step, line.token][line.run] += 1
    owed = {(step, token) for token in sent for step in STEPS}
    ended = owed & runs.keys()
    # What left did not emit, because its event is a dead letter, last is not owed.
    kept = {key for key in owed - ended if key in dead or _cause(key) in dead}
    missing = owed - ended - kept
    return Tally(
        sent=len(owed),
        executed=len(ended),
        dead=len(kept),
        lost=len(missing),
        repeated=sum(runs[key].total() - 1 for key in ended),
        strangers=sum(len(runs[key]) - 1 for key in ended),
        refused=refused,
        missing=tuple(sorted(missing)[:10]),
    )


def _cause(key: Key) -> Key:
    step, token = key
    return ("left", token) if step == "last" else key


def count_slots(expected: Iterable[str], lines: Iterable[Line], refused: int = 0) -> Tally:
    """The tally of cron slots, by the ids of the runs that they start."""
    owed = set(expected)
    runs = Counter(line.run for line in lines if line.step == "ticks")
    missing = owed - runs.keys()
    return Tally(
        sent=len(owed),
        executed=len(owed & runs.keys()),
        dead=0,
        lost=len(missing),
        repeated=sum(runs[run] - 1 for run in owed & runs.keys()),
        strangers=0,
        refused=refused,
        missing=tuple(("ticks", run) for run in sorted(missing)[:10]),
    )
