"""What a person asks of running workers: pause a Step, let it go on, call work off."""

from __future__ import annotations

from fastapi import APIRouter

from motia_celery.errors import FrameworkError, NotFoundError
from motia_celery.workbench.shapes.app import Cancelled, PauseView
from motia_celery.workbench.sources import From, Sources

router = APIRouter(tags=["controls"])

_PAUSED = "paused"


async def paused_steps(sources: Sources) -> frozenset[str]:
    """The paused Steps; none where Redis does not answer, for a diagram is of use without."""
    try:
        return frozenset(await sources.samples.ask(_PAUSED, sources.control.paused))
    except FrameworkError:
        return frozenset()


@router.post("/steps/{name:path}/pause")
async def pause_step(sources: From, name: str) -> PauseView:
    """Keeps the Step's events in its queue, through restarts, until it is resumed."""
    require_queue(sources, name)
    changed = await sources.samples.run(lambda: sources.control.pause(name))
    sources.samples.forget(_PAUSED)
    return PauseView(step=name, paused=True, changed=changed)


@router.post("/steps/{name:path}/resume")
async def resume_step(sources: From, name: str) -> PauseView:
    """Lets the Step go on."""
    changed = await sources.samples.run(lambda: sources.control.resume(name))
    sources.samples.forget(_PAUSED)
    return PauseView(step=name, paused=False, changed=changed)


@router.post("/steps/{name:path}/cancel")
async def cancel_step(sources: From, name: str) -> Cancelled:
    """Drops every event that waits for the Step, retries and delayed ones included."""
    require_queue(sources, name)
    dropped = await sources.samples.run(lambda: sources.control.cancel_queued(name))
    sources.samples.forget("depths")
    return Cancelled(dropped=dropped)


@router.post("/runs/{run_id}/cancel")
async def cancel_run(sources: From, run_id: str) -> Cancelled:
    """Cuts the run where it is, and lets no further attempt of it begin."""
    await sources.samples.run(lambda: sources.control.cancel_run(run_id))
    return Cancelled()


@router.post("/traces/{trace_id}/cancel")
async def cancel_trace(sources: From, trace_id: str) -> Cancelled:
    """Cuts every run of the trace, and lets no further one begin."""
    await sources.samples.run(lambda: sources.control.cancel_trace(trace_id))
    return Cancelled()


def require_queue(sources: Sources, name: str) -> None:
    """Returns if the Step has a queue.

    Raises:
        NotFoundError: it has none, or is not there.
    """
    if name not in sources.plan.topology.by_step:
        raise NotFoundError(
            f"no event or cron Step is named {name!r}.",
            "",
            "Steps that only requests start wait in no queue.",
        )
