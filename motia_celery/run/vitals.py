"""The vital signs of a running app: what is stuck, unattended, or growing, seen in two looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from motia_celery.broker.alarm import alarm
from motia_celery.broker.depths import Depth, DepthReader
from motia_celery.errors import FrameworkError
from motia_celery.model.problem import Problem
from motia_celery.observe.metrics import FAILURES, RUNS
from motia_celery.plan import Plan
from motia_celery.run.metrics import Stand, look
from motia_celery.settings import Settings
from motia_celery.stores.controls import ControlStore
from motia_celery.stores.heartbeat import SILENT_SECONDS, Heartbeat
from motia_celery.stores.metrics import MetricStore
from motia_celery.stores.redis import connect_briefly

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """From when on something counts as wrong.

    ``window_seconds`` is between the two looks, ``wait_seconds`` how long a message may wait,
    ``dead_letters`` how many may come since the last time that somebody looked.
    """

    window_seconds: float = 10
    wait_seconds: float = 300
    dead_letters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSign:
    """One Step's queue at the second look; ``done`` is what ended between the two."""

    step: str
    ready: int
    consumers: int | None
    oldest_seconds: float | None
    done: int
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What two looks at a running app found; ``beat`` is None where no Step has a schedule."""

    queues: tuple[QueueSign, ...]
    dead_letters: int | None
    new_dead_letters: int | None
    beat: bool | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    stand: Stand
    paused: frozenset[str]


def take_vitals(
    settings: Settings,
    plan: Plan,
    bounds: Bounds,
    pause: Callable[[float], None] = time.sleep,
) -> Vitals:
    """Looks at queues, beat and alarms twice, ``bounds.window_seconds`` apart.

    What does not answer is left out here: ``examine`` has told of it.
    """
    client = connect_briefly(settings, connections=1)
    store = MetricStore(client, settings.prefix)
    queues = DepthReader(settings, plan.topology, client)
    controls = ControlStore(client, settings.prefix)

    def glance() -> _Look:
        nothing: frozenset[str] = frozenset()
        paused = _answer(lambda: controls.read().paused, nothing)
        return _Look(look(store, queues), paused)

    try:
        first = glance()
        pause(bounds.window_seconds)
        second = glance()
        count = second.stand.depths.dead_letters.ready if second.stand.depths else None
        new = _new_letters(store, first, count)
        beats = _beats(plan, Heartbeat(client, settings.prefix))
        reason = _answer(lambda: alarm(settings), None)
    finally:
        queues.close()
        client.close()
    signs = tuple(_signs(first, second))
    problems = (
        *_alarm_problems(reason),
        *(problem for sign in signs for problem in _queue_problems(sign, first, bounds)),
        *_letter_problems(new, count, bounds),
        *_beat_problems(beats),
    )
    return Vitals(
        queues=signs,
        dead_letters=count,
        new_dead_letters=new,
        beat=beats,
        problems=problems,
    )


def _answer(ask: Callable[[], _T], otherwise: _T) -> _T:
    try:
        return ask()
    except FrameworkError:
        return otherwise


def _signs(first: _Look, second: _Look) -> Iterator[QueueSign]:
    depths = second.stand.depths.steps if second.stand.depths else {}
    for step, depth in depths.items():
        yield QueueSign(
            step=step,
            ready=depth.ready,
            consumers=depth.consumers if depth.exists else 0,
            oldest_seconds=depth.oldest_seconds,
            done=_done(step, second) - _done(step, first),
            paused=step in second.paused,
        )


def _done(step: str, seen: _Look) -> int:
    """How many deliveries of the Step's were settled, as far as it was counted."""
    counts = seen.stand.totals.counts if seen.stand.totals else {}
    ends = (RUNS.name, FAILURES.name)
    return sum(n for key, n in counts.items() if key[0] in ends and key[1] == step)


def _before(step: str, first: _Look) -> Depth:
    depths = first.stand.depths.steps if first.stand.depths else {}
    return depths.get(step, Depth(ready=0))


def _queue_problems(sign: QueueSign, first: _Look, bounds: Bounds) -> Iterator[Problem]:
    before = _before(sign.step, first)
    waits = min(before.ready, sign.ready) > 0
    where = f"Step {sign.step}"
    if sign.paused:
        if sign.ready:
            yield Problem(
                file=where,
                what=f"it is paused, and {_messages(sign.ready)} wait.",
                fix=f"`motia-celery resume {sign.step}` lets it go on.",
                severity="warning",
            )
    elif sign.consumers == 0 and not before.consumers:
        yield Problem(
            file=where,
            what=f"no worker takes its messages; {_messages(sign.ready)} wait.",
            fix="Start a worker that serves it: look at --steps, --exclude and --flows of yours.",
        )
    elif waits and not sign.done and first.stand.totals is not None:
        yield Problem(
            file=where,
            what=f"{_messages(sign.ready)} wait, and nothing of it ended within "
            f"{bounds.window_seconds:g} s.",
            fix="Look at what its workers do (`celery -A motia_celery.app inspect active`) and at "
            "its limits; if its runs are longer than that, pass a longer --window.",
        )
    elif waits and (sign.oldest_seconds or 0) > bounds.wait_seconds:
        yield Problem(
            file=where,
            what=f"{_messages(sign.ready)} wait, for up to {sign.oldest_seconds:.0f} s.",
            fix="Start more workers, or raise their concurrency; --max-wait says what is too long.",
        )


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _new_letters(store: MetricStore, first: _Look, count: int | None) -> int | None:
    """How many there are more than when somebody looked last, or than at the first look."""
    if count is None or first.stand.depths is None:
        return None
    before = _answer(lambda: store.swap_dead_letters(count), None)
    return count - (first.stand.depths.dead_letters.ready if before is None else before)


def _letter_problems(new: int | None, count: int | None, bounds: Bounds) -> Iterator[Problem]:
    if new is not None and new > bounds.dead_letters:
        yield Problem(
            file="dead letters",
            what=f"{new} more than when doctor looked last; there are {count}.",
            fix="`motia-celery dlq list` shows why they died, `dlq replay` sends them again.",
        )


def _beats(plan: Plan, heartbeat: Heartbeat) -> bool | None:
    return _answer(heartbeat.is_alive, None) if plan.schedules else None


def _beat_problems(beats: bool | None) -> Iterator[Problem]:
    if beats is False:
        yield Problem(
            file="beat",
            what=f"no beat has ticked within {SILENT_SECONDS} s, so no cron Step starts.",
            fix="Start `motia-celery beat`, or look at its log.",
        )


def _alarm_problems(reason: str | None) -> Iterator[Problem]:
    if reason is not None:
        yield Problem(
            file="RabbitMQ",
            what=f"it takes no messages, so emits fail ({reason}).",
            fix="Free memory or disk on its machine; `rabbitmqctl status` names the alarm.",
        )
