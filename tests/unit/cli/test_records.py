"""The commands for runs and logs, as far as no server is needed: what is drawn, and its width."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from motia_celery.cli import app
from motia_celery.cli.records.lines import as_json, as_text
from motia_celery.cli.records.story import story
from motia_celery.cli.records.table import runs_table
from motia_celery.cli.records.times import duration, since
from motia_celery.cli.records.waterfall import lanes, waterfall
from motia_celery.model.record import Attempt, Entry, LogLine, RunRecord, RunSummary
from motia_celery.model.run import RunError
from motia_celery.observe.logs import ConsoleFormatter

START = 1_900_000_000_000.0
ERROR = RunError(
    "RangeError", "no stock", "steps/reserve.step.js:9", "RangeError: no stock\n  at x"
)


def attempt(number, start, end, **fields):
    ended = None if end is None else START + end
    return Attempt(
        number=number,
        span_id="s",
        worker="web-1/7",
        started_ms=START + start,
        ended_ms=ended,
        **fields,
    )


def record(id, step, parent, status, *attempts, error=None, **fields):
    last = attempts[-1]
    return RunRecord(
        summary=RunSummary(
            id=id * 8,
            step=step,
            trigger="event" if parent else "http",
            trace_id="t" * 32,
            status=status,
            started_ms=attempts[0].started_ms,
            ended_ms=None if status in ("running", "retrying") else last.ended_ms,
            attempt=last.number,
            error=error,
            parent_id=parent and parent * 8,
            flows=("shop",),
            **fields,
        ),
        input={"order": 7},
        attempts=attempts,
    )


ORDER = record(
    "a",
    "create-order",
    None,
    "completed",
    attempt(
        1,
        0,
        14,
        entries=(
            Entry(
                START + 3, "log", {"level": "info", "msg": "Two\nlines\x1b[31m", "data": {"n": 1}}
            ),
            Entry(START + 9, "emit", {"topic": "ordered", "ok": True, "data": {"id": 7}}),
            Entry(START + 9, "emit", {"topic": "other", "ok": False}),
            Entry(START + 10, "state", {"op": "set", "group": "orders", "key": "7", "value": 1}),
        ),
        dropped=2,
        output={"status": 201},
    ),
)
RESERVE = record(
    "b",
    "reserve",
    "a",
    "completed",
    attempt(1, 40, 310, wait_ms=26, error=ERROR),
    attempt(2, 1400, 1520, wait_ms=22),
)
SHIP = record(
    "c", "ship", "b", "failed", attempt(1, 1600, 1630, wait_ms=70, error=ERROR), error=ERROR
)
NOTIFY = record("d", "notify", "b", "running", attempt(1, 1640, None))
LOST = record("e", "invoice", "b", "running", attempt(1, 1640, None, is_lost=True))
TRACE = (LOST, SHIP, NOTIFY, RESERVE, ORDER)


def drawn(width):
    return [line.plain for line in waterfall(TRACE, width, START + 2400)]


def test_a_waterfall():
    """Each below its cause; waits, tries, errors, what goes on and what is gone are seen."""
    assert drawn(90) == [
        "               0 ──────────────────────────────── 2.40 s",
        "create-order ✓ █                                              14 ms",
        "└ reserve    ✓ █████···················███                   390 ms  2 tries",
        "  └ ship     ✗                           ░░█                  30 ms  RangeError: no stock",
        "  └ invoice  ?                             ╳                         its process is gone",
        "  └ notify   ▶                             ██████████████    760 ms",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_of_a_waterfall_is_wider_than_the_terminal(width):
    assert max(map(len, drawn(width))) <= width


def test_a_run_whose_cause_is_not_kept_is_a_root():
    orphan = record("z", "orphan", "y", "completed", attempt(1, 0, 1))
    (lane,) = lanes([orphan], START)
    assert lane.depth == 0


def test_a_story():
    text = story(ORDER, START + 100).plain
    for part in (
        "create-order  ✓ completed  14 ms",
        "Attempt 1  completed  14 ms",
        "+3.0 ms  info   Two\\nlines\\x1b[31m",
        'emit   ordered  {"id": 7}',
        "emit   other  not sent",
        "state  set orders / 7  1",
        "… and 2 more that are not kept",
        '"status": 201',
    ):
        assert part in text, part


def test_the_story_of_a_failure_has_its_place_and_traceback():
    text = story(RESERVE, START).plain
    assert "Attempt 1  failed  270 ms, waited 26 ms" in text
    assert "RangeError: no stock\n  at steps/reserve.step.js:9\n" in text
    assert "Attempt 2  completed" in text


def test_the_story_of_a_run_whose_process_is_gone():
    text = story(LOST, START + 60_000).plain
    assert "invoice  ? lost" in text
    assert "Its process is gone; its message is delivered again." in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_table_keeps_its_numbers_whole(width):
    console = Console(file=io.StringIO(), width=width)
    console.print(runs_table([one.summary for one in TRACE], width))
    text = console.file.getvalue()
    assert "✓ completed" in text
    assert "1.48 s" in text
    assert "reserve" in text
    assert ("tttttttt" in text) == (width >= 100)
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.42, "0.4 ms"),
        (12.4, "12 ms"),
        (999, "999 ms"),
        (1240, "1.24 s"),
        (125_000, "2 m 05 s"),
        (11_520_000, "3 h 12 m"),
    ],
)
def test_durations(ms, shown):
    assert duration(ms) == shown


def test_since_takes_an_age_or_a_moment():
    assert since("2030-01-31T09:00:00+00:00") == 1_896_080_400_000
    assert since("2h") < since("1h")


LINE = LogLine(
    at_ms=START,
    level="warn",
    msg="No\nstock",
    step="reserve",
    run_id="r",
    trace_id="t" * 32,
    attempt=1,
    flows=("shop",),
    data={"n": 1},
)


def test_a_line_looks_as_in_the_process_that_wrote_it():
    text = as_text(LINE, ConsoleFormatter(color=False))
    assert text.endswith('WARN  reserve No\\nstock {"n": 1} tttttttt')
    told = json.loads(as_json(LINE))
    assert told["ts"] == "2030-03-17T17:46:40.000Z"
    assert (told["level"], told["msg"], told["flows"]) == ("warn", "No\nstock", ["shop"])


def test_a_record_is_json():
    told = json.loads(json.dumps(RESERVE.as_dict()))
    assert told["attempts"][0]["error"]["type"] == "RangeError"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runs", "--status", "dead"], "one of: running"),
        (["runs", "--since", "soon"], "is no age and no moment"),
        (["logs", "--level", "loud"], "one of: debug"),
    ],
    ids=str,
)
def test_a_wrong_option_is_explained(arguments, said):
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert said in result.output
