"""Which runs of a cron Step overlap."""

from __future__ import annotations

import pytest

from motia_celery.workbench.schedules import overlapping
from motia_celery.workbench.shapes.runs import RunView


def run(id: str, began: float | None, ended: float | None) -> RunView:
    fields = {"step": "s", "trigger": "cron", "status": "completed", "trace_id": "t"}
    return RunView(id=id, started_at=began, ended_at=ended, **fields)


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([("a", 1, 2), ("b", 2, 3)], []),
        ([("b", 2, 3), ("a", 1, 2.5)], ["b"]),
        ([("a", 1, 9), ("b", 2, 3), ("c", 4, 5), ("d", 10, 11)], ["b", "c"]),
        # The first one is still under way.
        ([("a", 1, None), ("b", 2, 3)], ["b"]),
        ([("a", None, None), ("b", 2, 3)], []),
    ],
)
def test_a_run_overlaps_that_began_while_one_before_was_under_way(
    runs: list[tuple[str, float | None, float | None]], found: list[str]
) -> None:
    assert list(overlapping(run(*one) for one in runs)) == found
