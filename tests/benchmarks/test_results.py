"""What follows from samples."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks import pages, summary
from tests.benchmarks.results import Measured, Report, Result
from tests.benchmarks.tables import markdown, number

RATE = {"name": "per_second", "label": "per second", "unit": "/s", "more_is_better": True}
TIME = {"name": "seconds", "label": "time", "unit": "s", "more_is_better": False}


def result(
    metric: dict[str, object], ours: list[float], theirs: list[float], **fields: str
) -> Result:
    name = str(metric["name"])
    contenders = [
        Measured("ours", "defaults", True, samples=[{name: value} for value in ours]),
        Measured("peer", "tuned", False, samples=[{name: value} for value in theirs]),
    ]
    return Result("drain", "Drain", "About it.", [metric], "peer", contenders, **fields)


def report(*results: Result) -> Report:
    machine = {
        "processor": "x",
        "cores": 2,
        "memory_gb": 8,
        "system": "Linux",
        "load_before": 0.5,
    }
    scale = {"name": "full", "factor": 1, "rounds": 3}
    return Report("2026-01-02 03:04 UTC", machine, {"Celery": "5"}, scale, list(results))


def test_ratios_pair_the_rounds() -> None:
    """What slowed both down in one round is no difference between them."""
    found = result(RATE, [200, 20, 200], [100, 10, 100])
    assert found.ratio(found.contenders[0]) == 2


def test_the_spread_is_half_of_what_lies_between_the_ends() -> None:
    assert result(RATE, [90, 100, 130], []).contenders[0].spread("per_second") == pytest.approx(0.2)


@pytest.mark.parametrize(("metric", "ours"), [(RATE, 50.0), (TIME, 200.0)])
def test_losses_are_told_in_either_direction(metric: dict[str, object], ours: float) -> None:
    assert report(result(metric, [ours], [100])).losses() == ["Drain: ours is 0.50 × peer"]


@pytest.mark.parametrize(("metric", "ours"), [(RATE, 200.0), (TIME, 50.0), (RATE, 97.0)])
def test_a_win_and_an_even_result_are_no_losses(metric: dict[str, object], ours: float) -> None:
    assert report(result(metric, [ours], [100])).losses() == []


def test_only_equal_sizes_are_compared() -> None:
    found = result(RATE, [1], [100])
    found.contenders[0].size, found.contenders[1].size = 50, 1
    assert report(found).losses() == []


def test_reports_survive_json() -> None:
    written = report(result(RATE, [1, 2], [3, 4]), result(TIME, [1], [2], grows="Steps"))
    assert Report.from_json(json.loads(json.dumps(written.to_json()))) == written


def test_a_broken_contender_is_named_and_the_rest_is_shown() -> None:
    found = result(RATE, [], [100])
    found.contenders[0].error = "BrokenRunError: it ended"
    told = markdown(report(found))
    assert "| **ours** | broken |" in told
    assert "BrokenRunError: it ended" in told
    assert "| peer | 100 | 1.00 |" in told


def test_docs_get_the_figures_between_their_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"Before\n\n{pages.BEGIN}\nold\n{pages.END}\n\nAfter\n")
    monkeypatch.setattr(pages, "PAGE", page)
    monkeypatch.setattr(pages, "CHART", tmp_path / "benchmarks.svg")
    pages.write_docs(report(result(RATE, [200], [100])))
    first = page.read_text()
    assert first.startswith("Before")
    assert first.endswith("After\n")
    assert "old" not in first
    assert "| **ours** | 200 | 2.00 |" in first
    pages.write_docs(report(result(RATE, [200], [100])))
    assert page.read_text() == first


def test_of_two_runs_the_later_ones_workloads_are_shown() -> None:
    one = report(result(RATE, [100], [100]), replace(result(TIME, [1], [1]), name="waiting"))
    two = report(result(RATE, [300], [100]))
    two.scale["factor"], two.made = 0.5, "2026-01-03"
    merged = Report.merged([one, two])
    assert [found.name for found in merged.results] == ["drain", "waiting"]
    told = markdown(merged)
    assert "| **ours** | 300 | 3.00 |" in told
    assert told.count("Counts × 0.5, 3 rounds.") == 1
    assert "2026-01-02 03:04 UTC to 2026-01-03" in told


def test_in_short_ours_is_beside_the_best_of_its_peers() -> None:
    found = result(RATE, [400, 40], [100, 10])
    found.contenders[1].name = "Taskiq"
    found.contenders += [
        Measured("FastStream", "", False, samples=[{"per_second": 200}, {"per_second": 20}]),
        Measured("ours, records and events off", "", True, samples=[{"per_second": 600}] * 2),
    ]
    assert summary.rows(report(found)) == [
        ("Steps that do nothing: rate", "FastStream", "2.00 ×", "16.50 ×")
    ]


def test_in_short_the_least_time_is_the_best() -> None:
    found = replace(result(TIME, [1.0], [2.0]), name="waiting")
    found.contenders[1].name = "Taskiq"
    assert summary.rows(report(found)) == [("Steps that wait: time", "Taskiq", "0.50 ×", "")]


@pytest.mark.parametrize(
    ("value", "shown"), [(12345.6, "12,300"), (0.12345, "0.123"), (7, "7"), (99.95, "100")]
)
def test_figures_have_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown
