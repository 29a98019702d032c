"""Schedules: what the clock starts, whether it did so in time, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio.to_thread
from fastapi import APIRouter

from motia_celery.broker.misses import Miss
from motia_celery.broker.ticks import Noted, Ticks
from motia_celery.errors import CronError, StoreUnavailableError
from motia_celery.model.cron import Cron
from motia_celery.model.event import run_id
from motia_celery.model.slots import count_slots, latest_slots
from motia_celery.plan import Plan
from motia_celery.plan.schedule import ScheduleEntry, tick_id
from motia_celery.workbench.controls import paused_steps
from motia_celery.workbench.shapes.app import MissView, ScheduleView, TickView
from motia_celery.workbench.shapes.runs import RunsQuery, RunView
from motia_celery.workbench.sources import From, Sources

router = APIRouter(tags=["schedules"])

_COMING = 5
_PAST = 8
#: Slots of an outage are counted so far.
_MOST = 1000
#: Runs of a Step that are looked at for those that overlap.
_RUNS = 50
#: A slot that came is on its way for a moment; a beat that stands by takes over in a few.
_GRACE = timedelta(seconds=5)
_MISSES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Runs:
    """The last runs of a Step by the clock: all, those under way, and those that overlap."""

    by_id: Mapping[str, RunView] = field(default_factory=dict)
    running: frozenset[str] = frozenset()
    overlapping: frozenset[str] = frozenset()


_NO_RUNS = _Runs()


@router.get("/schedules")
async def get_schedules(sources: From) -> list[ScheduleView]:
    """Every schedule, with its last and its next times, and what was late, missed or too long."""
    return list(await schedule_views(sources, sources.plan.schedules))


async def schedule_views(
    sources: Sources, entries: Iterable[ScheduleEntry]
) -> tuple[ScheduleView, ...]:
    """The schedules; without what beat and runs left in Redis where that does not answer."""
    wanted = tuple(entries)
    paused = await paused_steps(sources)
    noted = await _noted(sources)
    runs = {step: await _runs(sources, step) for step in {entry.step for entry in wanted}}
    now = datetime.now(UTC)

    def views() -> tuple[ScheduleView, ...]:
        return tuple(
            _schedule(sources.plan, entry, noted, runs[entry.step], now, entry.step in paused)
            for entry in wanted
        )

    return await anyio.to_thread.run_sync(views)


async def _noted(sources: Sources) -> Noted | None:
    entries = sources.plan.schedules
    try:
        noted: Noted = await sources.samples.ask("ticks", lambda: sources.ticks.read(entries))
    except StoreUnavailableError:
        return None
    return noted


async def _runs(sources: Sources, step: str) -> _Runs:
    """What is known of a Step's last runs by the clock."""
    if sources.records is None:
        return _NO_RUNS
    try:
        found = await sources.records.runs(RunsQuery(step=(step,), trigger=("cron",), limit=_RUNS))
        under_way = [run for run in found.runs if run.status == "running"]
        lost = {run.id for run in under_way if await _is_lost(sources, run.id)}
    except StoreUnavailableError:
        return _NO_RUNS
    return _Runs(
        by_id={run.id: run for run in found.runs},
        running=frozenset(run.id for run in under_way) - lost,
        overlapping=frozenset(overlapping(run for run in found.runs if run.id not in lost)),
    )


async def _is_lost(sources: Sources, identity: str) -> bool:
    """Whether a run is under way only by what is written: its process is gone."""
    assert sources.records is not None
    run = await sources.records.run(identity)
    return run is None or run.error is not None


def overlapping(runs: Iterable[RunView]) -> Iterable[str]:
    """The ids of those that began while one before them was under way."""
    open_until = 0.0
    known = [(run.started_at, run) for run in runs if run.started_at is not None]
    for began, run in sorted(known, key=lambda one: one[0]):
        if began < open_until:
            yield run.id
        ends = run.ended_at if run.ended_at is not None else float("inf")
        open_until = max(open_until, ends)


def _schedule(
    plan: Plan,
    entry: ScheduleEntry,
    noted: Noted | None,
    runs: _Runs,
    now: datetime,
    paused: bool,
) -> ScheduleView:
    cron = _cron(entry)
    ticks = noted.ticks.get(entry.name, Ticks()) if noted else Ticks()
    due = latest_slots(cron, now, 1) if cron else ()
    return ScheduleView(
        name=entry.name,
        step=entry.step,
        expression=entry.expression,
        timezone=entry.timezone,
        last_at=_ms(ticks.last) if ticks.last else None,
        due_at=_ms(due[0]) if due else None,
        next_at=tuple(_ms(moment) for moment in cron.upcoming(now, _COMING)) if cron else (),
        paused=paused,
        beats=noted.beats if noted else None,
        overdue=_overdue(cron, ticks, now) if cron else 0,
        misses=tuple(_miss(cron, miss) for miss in ticks.misses[:_MISSES_SHOWN]) if cron else (),
        ticks=tuple(_ticks(plan, entry, cron, ticks, runs)) if cron else (),
        running=len(runs.running),
        overlaps=len(runs.overlapping),
    )


def _cron(entry: ScheduleEntry) -> Cron | None:
    try:
        return Cron(entry.expression, entry.timezone)
    except CronError:
        return None


def _overdue(cron: Cron, ticks: Ticks, now: datetime) -> int:
    """How many slots have come that no beat has sent."""
    if ticks.done_until is None:
        return 0
    after = ticks.done_until + timedelta(seconds=1)
    return count_slots(cron, after, now - _GRACE, _MOST)


def _miss(cron: Cron, miss: Miss) -> MissView:
    count = count_slots(cron, miss.first, miss.sent, _MOST)
    return MissView(first_at=_ms(miss.first), sent_at=_ms(miss.sent), count=count)


def _ticks(
    plan: Plan, entry: ScheduleEntry, cron: Cron, ticks: Ticks, runs: _Runs
) -> Iterable[TickView]:
    """The last slots that were sent, as far back as their runs are known."""
    queue, unknown = plan.topology.by_step[entry.step], []
    for slot in latest_slots(cron, ticks.last, _PAST) if ticks.last else ():
        if any(miss.first <= slot < miss.sent for miss in ticks.misses):
            continue
        tick = _tick(slot, run_id(tick_id(plan.prefix, entry.name, slot), queue.name), runs)
        unknown.append(tick)
        if tick.status or slot == ticks.last:
            yield from unknown
            unknown = []


def _tick(slot: datetime, identity: str, runs: _Runs) -> TickView:
    run = runs.by_id.get(identity)
    if run is None:
        return TickView(at=_ms(slot), run_id=identity)
    late = None if run.started_at is None else max(0.0, run.started_at - _ms(slot))
    return TickView(
        at=_ms(slot),
        run_id=identity,
        trace_id=run.trace_id,
        status=run.status,
        started_at=run.started_at,
        late_ms=late,
        duration_ms=run.duration_ms,
        overlaps=identity in runs.overlapping,
    )


def _ms(moment: datetime) -> float:
    return moment.timestamp() * 1000
