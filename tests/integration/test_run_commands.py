"""``motia-celery runs``, ``run``, ``trace`` and ``logs``, on a real Valkey or Redis."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from click.testing import Result
from integration.apps import wait_until
from typer.testing import CliRunner

from motia_celery.cli import app, terminal
from motia_celery.errors import FrameworkError, StoreUnavailableError, UnknownRunError
from motia_celery.settings import load_settings
from motia_celery.stores.records import Records, Written

NOW = round(time.time() * 1000) - 60_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ORDER, SHIP = "a1b2c3d4-0000-5000-8000-000000000001", "a1b2ffff-0000-5000-8000-000000000002"
ERROR = {"type": "ValueError", "message": "no \x1b[31mvan", "where": "steps/ship_step.py:9"}


def run(*arguments: str) -> Result:
    """The command, whose framework errors are raised as `main` gets them."""
    with patch.object(terminal.out, "_width", 120):
        result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, FrameworkError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def objects(*arguments: str) -> list[Any]:
    return [json.loads(line) for line in run(*arguments, "--json").output.splitlines()]


def written(id: str, step: str, start: int, took: int, **fields: Any) -> Written:
    error = fields.pop("error", None)
    head = {"trigger": "event", "topic": "ordered", "flows": ["shop"], **fields}
    attempt = {"number": 1, "worker": "w/1#a", "started": NOW + start, "ended": NOW + start + took}
    return Written(
        id=id,
        span=id[:8],
        number=1,
        at=NOW + start + took,
        status="failed" if error else "completed",
        started=NOW + start,
        ended=NOW + start + took,
        retry=None,
        step=step,
        trace=TRACE,
        head=orjson.dumps(head),
        input=b'{"order":7}',
        attempt=orjson.dumps(attempt | ({"error": error, "wait": 4} if error else {})),
        error=orjson.dumps(error) if error else b"",
    )


def line(msg: str, level: str = "info", **fields: Any) -> bytes:
    own = {"step": "ship", "run_id": SHIP, "trace_id": TRACE, "attempt": 1, "flows": ["shop"]}
    return orjson.dumps({"ts": NOW, "level": level, "msg": msg, **own, **fields})


@pytest.fixture
def records(
    redis_url: str, name_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Records]:
    """The records of the project that the commands are typed in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOTIA_REDIS_URL", redis_url)
    monkeypatch.setenv("MOTIA_PREFIX", name_prefix)
    with closing(Records(load_settings())) as made:
        yield made


@pytest.fixture
def flow(records: Records) -> Records:
    """A trace of two runs, of which the second failed, and two lines."""
    order = written(ORDER, "order", 0, 12)
    ship = written(SHIP, "ship", 20, 30, error=ERROR, parent=ORDER)
    records.write(
        [order, ship], [line("Sending"), line("No van", "error")], "w/1#a", lambda runs: b""
    )
    return records


def test_runs_are_listed_newest_first(flow: Records) -> None:
    text = run("runs").output
    assert text.index("ship") < text.index("order")
    for part in ("✗ failed", "✓ completed", "30 ms", "ValueError: no \\x1b[31mvan", "2 runs."):
        assert part in text, part


def test_filters_choose_runs(flow: Records) -> None:
    assert [one["step"] for one in objects("runs")] == ["ship", "order"]
    for arguments, steps in (
        (["--status", "failed"], ["ship"]),
        (["--status", "failed", "--status", "completed"], ["ship", "order"]),
        (["--step", "order"], ["order"]),
        (["--flow", "other"], []),
        (["--since", "1s"], []),
        (["--since", "1h", "--text", "VAN"], ["ship"]),
        (["--trace", TRACE, "--limit", "1"], ["ship"]),
    ):
        assert [one["step"] for one in objects("runs", *arguments)] == steps, arguments
    assert "there are older ones" in run("runs", "--limit", "1").output
    assert run("runs", "--step", "none").output == "No recorded run matches.\n"


def test_a_run_is_shown_by_the_beginning_of_its_id(flow: Records) -> None:
    text = run("run", SHIP[:6]).output
    for part in ("ship  ✗ failed", TRACE, "at steps/ship_step.py:9", '"order": 7', ORDER):
        assert part in text, part
    assert "\x1b" not in text
    (told,) = objects("run", SHIP)
    assert told["attempts"][0]["error"]["type"] == "ValueError"


def test_what_is_not_recorded_is_said(records: Records, flow: Records) -> None:
    with pytest.raises(UnknownRunError, match="no record of a run 'zz'"):
        run("run", "zz")
    with pytest.raises(UnknownRunError, match="the beginning of several runs"):
        run("run", "a1b2")
    with pytest.raises(UnknownRunError, match="no record of a trace"):
        run("trace", "zz")


def test_nothing_is_recorded_yet(records: Records) -> None:
    assert run("runs").output == "No run is recorded.\n"
    assert run("logs").output == ""


@pytest.mark.parametrize("id", [TRACE, TRACE[:8], SHIP, SHIP[:6]])
def test_a_trace_is_drawn_by_any_of_its_ids(flow: Records, id: str) -> None:
    text = run("trace", id).output
    lines = text.splitlines()
    assert lines[0].startswith(f"{TRACE}  2 runs  shop")
    assert lines[3].startswith("order  ✓ █")
    assert lines[4].startswith("└ ship ✗")
    assert "ValueError: no \\x1b[31mvan" in lines[4]
    assert [one["step"] for one in objects("trace", id)] == ["order", "ship"]


def test_lines_are_shown_and_chosen(flow: Records) -> None:
    text = run("logs").output
    assert "INFO  ship Sending" in text
    assert "ERROR ship No van" in text
    assert [one["msg"] for one in objects("logs", "--level", "WARNING")] == ["No van"]
    assert [one["msg"] for one in objects("logs", "--run", SHIP, "--limit", "1")] == ["No van"]
    assert objects("logs", "--step", "order") == []


def test_lines_are_followed_until_it_is_interrupted(flow: Records, tmp_path: Path) -> None:
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "motia_celery", "logs", "-f", "--json", "--limit", "1"],
            stdout=output,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    try:
        seen = tmp_path / "output"
        wait_until(lambda: "No van" in seen.read_text(), "the last line", 60)
        flow.write([], [line("Another")], "w/1#a", lambda runs: b"")
        wait_until(lambda: "Another" in seen.read_text(), "the next line", 60)
        assert "Sending" not in seen.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("command", [["runs"], ["run", "a"], ["trace", "a"], ["logs"]])
def test_a_redis_that_is_away_is_said_to_be(
    command: list[str], records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTIA_REDIS_URL", "redis://:s3cret@127.0.0.1:1/0")
    with pytest.raises(StoreUnavailableError, match="Is Redis running") as caught:
        run(*command)
    assert "s3cret" not in str(caught.value)
