"""A run as text: what it got, what each attempt did, and how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from motia_celery.cli.dlq.letters import printable
from motia_celery.cli.records.marks import STYLES, status_text
from motia_celery.cli.records.table import took
from motia_celery.cli.records.times import duration, moment

if TYPE_CHECKING:
    from motia_celery.model.record import Attempt, Entry, RunRecord, RunSummary
    from motia_celery.model.run import RunError

_LEVEL_STYLES = {"debug": "dim", "info": "cyan", "warn": "yellow", "error": "red"}
_INDENT = "  "


def story(record: RunRecord, now_ms: float | None = None) -> Text:
    """Everything about one run."""
    now = time.time() * 1000 if now_ms is None else now_ms
    text = _head(record, now)
    if record.input is not None:
        _value(text, "Input", record.input)
    for index, attempt in enumerate(record.attempts):
        if index == 1 and record.forgotten:
            text.append(f"\n… {record.forgotten} attempts are not kept …\n", "dim")
        _attempt(text, record, attempt, now)
    return text


def _head(record: RunRecord, now: float) -> Text:
    summary = record.summary
    text = Text()
    text.append(printable(summary.step), "bold").append("  ")
    text.append_text(status_text("lost" if record.is_lost else summary.status))
    text.append(f"  {duration(took(summary, now))}\n")
    for name, value in _fields(summary, now):
        if value:
            text.append(f"{name:<9} ", "bold").append(f"{printable(value)}\n")
    if record.is_lost:
        text.append("          Its process is gone; its message is delivered again.\n", "yellow")
    return text


def _fields(summary: RunSummary, now: float) -> Iterator[tuple[str, str]]:
    yield "Run", summary.id
    yield "Trace", summary.trace_id
    yield "Trigger", f"{summary.trigger}{f' {summary.topic}' if summary.topic else ''}"
    yield "Group", summary.group or ""
    yield "Flows", ", ".join(summary.flows)
    yield "Caused by", summary.parent_id or ""
    yield "Event", summary.event_id or ""
    yield "Started", moment(summary.started_ms)
    if summary.status == "retrying" and summary.retry_ms is not None:
        wait = summary.retry_ms - now
        yield "Next try", f"in {duration(wait)}" if wait > 0 else "due"


def _attempt(text: Text, record: RunRecord, attempt: Attempt, now: float) -> None:
    text.append(f"\nAttempt {attempt.number}  ", "bold")
    text.append_text(_ending(record, attempt))
    ended = attempt.ended_ms or (None if attempt.is_lost else now)
    if ended is not None:
        text.append(f"  {duration(max(0.0, ended - attempt.started_ms))}")
    waited = f", waited {duration(attempt.wait_ms)}" if attempt.wait_ms else ""
    text.append(f"{waited}  {printable(attempt.worker)}\n", "dim")
    for entry in attempt.entries:
        _entry(text, entry, attempt.started_ms)
    if attempt.dropped:
        text.append(f"{_INDENT}… and {attempt.dropped:,} more that are not kept\n", "dim")
    if attempt.error is not None:
        _error(text, attempt.error)
    if attempt.output is not None:
        _value(text, f"{_INDENT}Output", attempt.output)


def _ending(record: RunRecord, attempt: Attempt) -> Text:
    if attempt.is_lost:
        return Text("its process is gone", STYLES["lost"])
    if attempt.ended_ms is None:
        return Text("runs", STYLES["running"])
    if attempt.error is None:
        return Text("completed", STYLES["completed"])
    was_called_off = attempt is record.attempts[-1] and record.summary.status == "cancelled"
    return Text("cancelled", STYLES["cancelled"]) if was_called_off else Text("failed", "red")


def _entry(text: Text, entry: Entry, start: float) -> None:
    offset = f"+{duration(max(0.0, entry.at_ms - start))}"
    text.append(f"{_INDENT}{offset:>9}  ", "dim")
    fields = entry.fields
    if entry.kind == "log":
        level = str(fields.get("level", ""))
        text.append(f"{level:<6} ", _LEVEL_STYLES.get(level, ""))
        text.append(_one_line(fields.get("msg", "")))
        value = fields.get("data")
    else:
        text.append(f"{entry.kind:<6} ", "bold")
        text.append(_deed(entry))
        value = fields.get("data", fields.get("value"))
        if fields.get("ok") is False:
            text.append("  not sent", "red")
    if value is not None:
        text.append(f"  {_one_line(json.dumps(value, ensure_ascii=False))}", "dim")
    text.append("\n")


def _deed(entry: Entry) -> str:
    fields = entry.fields
    if entry.kind == "emit":
        return _one_line(fields.get("topic", ""))
    place = [fields[name] for name in ("name", "group", "key", "id") if name in fields]
    return _one_line(f"{fields.get('op', '')} {' / '.join(map(str, place))}")


def _error(text: Text, error: RunError) -> None:
    text.append(f"{_INDENT}{printable(str(error))}\n", "red")
    if error.where:
        text.append(f"{_INDENT}at {printable(error.where)}\n", "bold")
    for line in printable(error.traceback).splitlines():
        text.append(f"{_INDENT}  {line}\n", "dim")


def _value(text: Text, name: str, value: Any) -> None:
    indent = " " * (len(name) - len(name.lstrip()))
    text.append(f"{name}\n", "bold")
    for line in json.dumps(value, indent=2, ensure_ascii=False).splitlines():
        text.append(f"{indent}  {printable(line)}\n")


def _one_line(value: object) -> str:
    return printable(str(value)).replace("\n", "\\n")
