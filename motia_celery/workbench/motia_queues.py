"""The queue endpoints of Motia's Workbench, with the shapes that BullMQ gave them.

Here a Step has one queue for all its topics: it is named as Motia names the queue of the first,
and answers to the names of all. Its jobs are runs, so those that wait are counted and not listed;
the jobs of ``….dlq`` are the Step's dead letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from motia_celery.errors import NotFoundError, RequestError
from motia_celery.model.dead_letter import DeadLetter, LetterFilter, Listing
from motia_celery.plan.topology import QueuePlan
from motia_celery.workbench.controls import cancel_step, pause_step, paused_steps, resume_step
from motia_celery.workbench.dead_letters import LISTED, letters_of
from motia_celery.workbench.motia_jobs import ID, dead_job_of, dead_of, job_of
from motia_celery.workbench.shapes.runs import RunDetail, RunsQuery, RunStatus
from motia_celery.workbench.sources import From, Sources
from motia_celery.workbench.workers import queues_now

router = APIRouter(prefix="/bullmq")

Status = Literal["waiting", "active", "completed", "failed", "delayed", "paused", "prioritized"]
Start = Annotated[int, Query(ge=0, le=100_000)]
#: The last job that is wanted; -1 is as many as are listed at once.
End = Annotated[int, Query(ge=-1, le=100_000)]

_SUFFIX = ".dlq"
_RUN_STATUS: Mapping[Status, RunStatus] = {
    "active": "running",
    "completed": "completed",
    "failed": "failed",
    "delayed": "retrying",
}
#: Jobs of one answer.
_MOST = 500


class Clean(BaseModel):
    """Which jobs are to be forgotten: those that are older than ``grace`` milliseconds."""

    grace: float = Field(0, ge=0, allow_inf_nan=False)
    limit: int = Field(1000, ge=0)
    status: Status = "completed"


@dataclass(frozen=True, slots=True)
class _Named:
    """What a name of Motia's means: a Step's queue, or its dead letters."""

    queue: QueuePlan
    is_dlq: bool

    @property
    def step(self) -> str:
        return self.queue.step

    @property
    def letters(self) -> LetterFilter:
        return LetterFilter(steps=frozenset({self.step}))


@router.get("/queues")
async def get_queues(sources: From) -> dict[str, Any]:
    """Every queue, each followed by that of its dead letters."""
    stats = await _all_stats(sources)
    names = (_Named(queue, dlq) for queue in sources.plan.topology.queues for dlq in (False, True))
    return {"queues": [_view(named, stats) for named in names]}


@router.get("/queues/{name:path}/jobs")
async def get_jobs(
    sources: From, name: str, status: Status = "waiting", start: Start = 0, end: End = 100
) -> dict[str, Any]:
    """The queue's jobs of that status, the newest first."""
    named, last = _named(sources, name), _last(start, end)
    if named.is_dlq:
        letters = await _listed(sources, named, last) if status == "waiting" else ()
        return {"jobs": [dead_job_of(letter) for letter in letters[start:last]]}
    runs = await _runs(sources, named.step, _RUN_STATUS.get(status), start, last)
    return {"jobs": [job_of(run) for run in runs]}


@router.get("/queues/{name:path}/jobs/{job}")
async def get_job(sources: From, name: str, job: str) -> dict[str, Any]:
    """One job."""
    named = _named(sources, name)
    if named.is_dlq:
        return dead_job_of(await _letter(sources, named, job))
    return job_of(await _run(sources, named, job))


@router.post("/queues/{name:path}/jobs/{job}/retry")
async def retry_job(sources: From, name: str, job: str) -> dict[str, Any]:
    """Does a failed job once more."""
    await _replay(sources, await _one(sources, _named(sources, name), job))
    return {"message": "Job retried"}


@router.post("/queues/{name:path}/jobs/{job}/remove")
async def remove_job(sources: From, name: str, job: str) -> dict[str, Any]:
    """Deletes a failed job for good."""
    await _drop(sources, await _one(sources, _named(sources, name), job))
    return {"message": "Job removed"}


@router.post("/queues/{name:path}/jobs/{job}/promote")
async def promote_job(sources: From, name: str, job: str) -> dict[str, Any]:
    """Refuses: the broker keeps what is delayed, and gives it out when it is due."""
    raise RequestError("A delayed job can not be brought forward.")


@router.post("/queues/{name:path}/pause")
async def pause_queue(sources: From, name: str) -> dict[str, Any]:
    """Keeps the Step's events in its queue, through restarts."""
    await pause_step(sources, _live(sources, name).step)
    return {"message": "Queue paused"}


@router.post("/queues/{name:path}/resume")
async def resume_queue(sources: From, name: str) -> dict[str, Any]:
    """Lets the Step go on."""
    await resume_step(sources, _live(sources, name).step)
    return {"message": "Queue resumed"}


@router.post("/queues/{name:path}/clean")
async def clean_queue(sources: From, name: str, options: Clean | None = None) -> dict[str, Any]:
    """Deletes old failed jobs; those that succeeded are forgotten by themselves."""
    named, wanted = _named(sources, name), options or Clean()
    is_letters = wanted.status == ("waiting" if named.is_dlq else "failed")
    if not is_letters and wanted.status != "completed":
        raise RequestError(f"Jobs that are {wanted.status} can not be cleaned.")
    ids = await _cleaned(sources, named, wanted) if is_letters else []
    return {"deleted": len(ids), "ids": ids}


@router.post("/queues/{name:path}/drain")
async def drain_queue(sources: From, name: str) -> dict[str, Any]:
    """Drops everything that waits."""
    named = _named(sources, name)
    if named.is_dlq:
        await _drop(sources, named.letters)
    else:
        await cancel_step(sources, named.step)
    return {"message": "Queue drained"}


@router.get("/queues/{name:path}")
async def get_queue(sources: From, name: str) -> dict[str, Any]:
    """One queue."""
    return _view(_named(sources, name), await _all_stats(sources))


@router.get("/dlq/{name:path}/jobs")
async def get_dead_jobs(
    sources: From, name: str, start: Start = 0, end: End = 100
) -> dict[str, Any]:
    """A Step's dead letters, the oldest first."""
    last = _last(start, end)
    letters = await _listed(sources, _named(sources, name), last)
    return {"jobs": [dead_of(letter) for letter in letters[start:last]]}


@router.post("/dlq/{name:path}/retry/{job}")
async def retrydead_job_of(sources: From, name: str, job: str) -> dict[str, Any]:
    """Sends the event of a dead letter to its Step again."""
    letter = await _letter(sources, _named(sources, name), job)
    await _replay(sources, LetterFilter(ids=frozenset({letter.id})))
    return {"message": "Job retried from DLQ"}


@router.post("/dlq/{name:path}/retry-all")
async def retry_dead_jobs(sources: From, name: str) -> dict[str, Any]:
    """Sends the events of all dead letters to their Step again; ``count`` of them could be."""
    count = await _replay(sources, _named(sources, name).letters, strict=False)
    return {"message": f"Retried {count} jobs from DLQ", "count": count}


@router.post("/dlq/{name:path}/clear")
async def clear_dead_jobs(sources: From, name: str) -> dict[str, Any]:
    """Deletes the Step's dead letters for good."""
    await _drop(sources, _named(sources, name).letters)
    return {"message": "DLQ cleared"}


# What a name and a job's id mean


def _named(sources: Sources, name: str) -> _Named:
    """The queue of that name.

    Raises:
        NotFoundError: there is none.
    """
    plain, is_dlq = name.removesuffix(_SUFFIX), name.endswith(_SUFFIX)
    for queue in sources.plan.topology.queues:
        topics = (f"{topic}.{queue.step}" for topic in queue.topics)
        if plain in (*topics, queue.step, queue.name):
            return _Named(queue, is_dlq)
    raise NotFoundError(f"Queue '{name}' not found")


def _live(sources: Sources, name: str) -> _Named:
    """The queue of that name, if it is not that of dead letters."""
    named = _named(sources, name)
    if named.is_dlq:
        raise RequestError("Dead letters stay where they are; only their Step can be paused.")
    return named


def _name(queue: QueuePlan) -> str:
    return f"{queue.topics[0]}.{queue.step}" if queue.topics else queue.step


def _last(start: int, end: int) -> int:
    """The end of a slice, for the number of the last job."""
    return start + _MOST if end < 0 else min(end + 1, start + _MOST)


# Runs as jobs


async def _runs(
    sources: Sources, step: str, status: RunStatus | None, start: int, last: int
) -> list[RunDetail]:
    if sources.records is None or status is None:
        return []
    found: list[str] = []
    cursor: str | None = None
    while len(found) < last:
        query = RunsQuery(step=(step,), status=(status,), limit=_MOST, cursor=cursor)
        page = await sources.records.runs(query)
        found += [run.id for run in page.runs if run.trigger != "http"]
        if (cursor := page.next) is None:
            break
    runs = [await sources.records.run(identity) for identity in found[start:last]]
    return [run for run in runs if run is not None]


async def _run(sources: Sources, named: _Named, job: str) -> RunDetail:
    run = await sources.records.run(job) if sources.records is not None else None
    if run is None or run.step != named.step:
        raise NotFoundError("Job not found")
    return run


# Dead letters as jobs


async def _listed(sources: Sources, named: _Named, limit: int) -> tuple[DeadLetter, ...]:
    wanted = named.letters
    found: Listing = await sources.samples.ask(
        (LISTED, wanted, limit), lambda: letters_of(sources).list(wanted, limit)
    )
    return found.letters


async def _letter(sources: Sources, named: _Named, job: str) -> DeadLetter:
    """The dead letter of that job, by its own id or by the run's."""
    wanted = LetterFilter(ids=frozenset({job.removeprefix(ID)}), steps=frozenset({named.step}))
    found = await sources.samples.run(lambda: letters_of(sources).list(wanted, 1))
    if not found.letters:
        raise NotFoundError("Job not found")
    return found.letters[0]


async def _one(sources: Sources, named: _Named, job: str) -> LetterFilter:
    """The dead letter that a failed job has left.

    Raises:
        RequestError: the job has not failed.
    """
    try:
        letter = await _letter(sources, named, job)
    except NotFoundError:
        run = await _run(sources, named, job)
        raise RequestError(f"Only failed jobs can be; this one is {run.status}.") from None
    return LetterFilter(ids=frozenset({letter.id}), steps=frozenset({named.step}))


async def _replay(sources: Sources, wanted: LetterFilter, *, strict: bool = True) -> int:
    try:
        done = await sources.samples.run(lambda: letters_of(sources).replay(wanted))
    finally:
        sources.samples.forget(LISTED, "depths")
    if strict and done.stay:
        raise RequestError(done.stay[0].why)
    return done.count


async def _drop(sources: Sources, wanted: LetterFilter) -> None:
    letters = letters_of(sources)
    try:
        await sources.samples.run(lambda: letters.drop(letters.ids(wanted)))
    finally:
        sources.samples.forget(LISTED, "depths")


async def _cleaned(sources: Sources, named: _Named, wanted: Clean) -> list[str]:
    """The ids of the dead letters that were old enough, and are gone."""
    before = datetime.now(UTC) - timedelta(milliseconds=min(wanted.grace, 1e12))
    old = LetterFilter(steps=frozenset({named.step}), died_before=before)
    found = await sources.samples.run(lambda: letters_of(sources).list(old, wanted.limit))
    ids = list(dict.fromkeys(letter.id for letter in found.letters))
    if ids:
        await _drop(sources, LetterFilter(ids=frozenset(ids), steps=frozenset({named.step})))
    return ids


# Counts


@dataclass(frozen=True, slots=True)
class _Stats:
    """How many jobs there are: those that wait, runs by Step and status, dead letters by Step."""

    waiting: Mapping[str, int]
    paused: frozenset[str]
    runs: Mapping[tuple[str, RunStatus], int]
    letters: Mapping[str, int]


async def _all_stats(sources: Sources) -> _Stats:
    queues = await queues_now(sources)
    letters: Mapping[str, int] = {}
    if queues.dead_letters:
        letters = await sources.samples.ask(
            (LISTED, "by Step"), lambda: letters_of(sources).by_step()
        )
    return _Stats(
        waiting={queue.step: queue.depth or 0 for queue in queues.queues},
        paused=await paused_steps(sources),
        runs=await sources.records.tally() if sources.records is not None else {},
        letters=letters,
    )


def _view(named: _Named, stats: _Stats) -> dict[str, Any]:
    name, is_paused = _name(named.queue), named.step in stats.paused and not named.is_dlq
    return {
        "name": f"{name}{_SUFFIX}" if named.is_dlq else name,
        "displayName": f"{name} (DLQ)" if named.is_dlq else name,
        "isPaused": is_paused,
        "isDLQ": named.is_dlq,
        "stats": _counts(named, stats, is_paused=is_paused),
    }


def _counts(named: _Named, stats: _Stats, *, is_paused: bool) -> dict[str, int]:
    counts: dict[str, int] = dict.fromkeys(get_args(Status), 0)
    if named.is_dlq:
        return {**counts, "waiting": stats.letters.get(named.step, 0)}
    waiting = stats.waiting.get(named.step, 0)
    runs = {name: stats.runs.get((named.step, kind), 0) for name, kind in _RUN_STATUS.items()}
    return {**counts, **runs, "paused" if is_paused else "waiting": waiting}
