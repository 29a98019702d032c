"""``dev`` does not grow with its reloads; the benchmark of that name makes a thousand of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.reloads import running

WARM_UP = 4
RELOADS = 26
#: What comes and goes by itself; if each reload left one of anything, there were 26 more.
SLACK = 6


@pytest.mark.timeout(400)
def test_reloads_leave_no_open_file_thread_or_process(tmp_path: Path) -> None:
    with running(tmp_path) as reloads:
        for _ in range(WARM_UP):
            reloads.reload()
        start = reloads.figures()
        for _ in range(RELOADS):
            reloads.reload()
        end = reloads.figures()
    print(start, end, sep="\n")
    assert end.files <= start.files + SLACK
    assert end.forker_files <= start.forker_files + SLACK
    assert end.threads <= start.threads + SLACK
    assert end.processes <= start.processes + SLACK
    assert end.rss_mb < start.rss_mb * 1.2
    assert end.forker_rss_mb < start.forker_rss_mb * 1.2
