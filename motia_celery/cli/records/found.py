"""Opening the records of the project in this folder, and finding what a person names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from motia_celery.errors import UnknownRunError

if TYPE_CHECKING:
    from motia_celery.model.record import RunRecord
    from motia_celery.stores.runs import Runs

_FIX = "`motia-celery runs` lists what is kept; records go after records_kept_days."


@contextmanager
def open_runs() -> Iterator[Runs]:
    """The records that the running app writes."""
    from contextlib import closing

    from motia_celery.run.environment import read_running
    from motia_celery.stores.runs import Runs

    with closing(Runs(read_running())) as runs:
        yield runs


def find_run(runs: Runs, id: str) -> RunRecord:
    """The run with this id, or the one whose id begins so.

    Raises:
        UnknownRunError: there is none, or more than one.
    """
    record = runs.get(id) or runs.get(_single(runs.find(id), id, "run"))
    if record is None:
        raise UnknownRunError(f"there is no record of a run {id!r}.", "", _FIX)
    return record


def find_trace(runs: Runs, id: str) -> tuple[str, Sequence[RunRecord]]:
    """The trace with this id, or the one whose id begins so, or the trace of a run.

    Raises:
        UnknownRunError: there is none, or more than one.
    """
    if records := runs.trace(id):
        return id, records
    if record := runs.get(id):
        trace = record.summary.trace_id
        return trace, runs.trace(trace)
    found = runs.find_trace(id)
    if not found and len(runs.find(id)) == 1:
        found = [find_run(runs, id).summary.trace_id]
    trace = _single(found, id, "trace")
    return trace, runs.trace(trace)


def _single(found: Sequence[str], id: str, what: str) -> str:
    if not found:
        raise UnknownRunError(f"there is no record of a {what} {id!r}.", "", _FIX)
    if len(found) > 1:
        some = ", ".join(one[: len(id) + 6] for one in found[:4])
        more = " …" if len(found) > 4 else ""
        raise UnknownRunError(
            f"{id!r} is the beginning of several {what}s: {some}{more}.", "", "Give more of it."
        )
    return found[0]
