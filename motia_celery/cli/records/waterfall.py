"""A trace as a waterfall: who caused whom, when each waited, and when each ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from motia_celery.cli.dlq.letters import printable
from motia_celery.cli.records.marks import MARKS, STYLES
from motia_celery.cli.records.times import duration

if TYPE_CHECKING:
    from motia_celery.model.record import Attempt, RunRecord

_NARROWEST = 10
#: What a bar is drawn with: waiting in a queue, waiting for the next try, running, gone.
_QUEUED, _PAUSED, _RUNNING, _LOST = "░", "·", "█", "╳"
LEGEND: Final = f"{_QUEUED} waits in its queue   {_RUNNING} runs   {_PAUSED} waits to try again"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a bar, in epoch milliseconds."""

    start: float
    end: float
    mark: str
    style: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A run in the waterfall: how deep it stands below its cause, and its bar."""

    record: RunRecord
    depth: int
    spans: tuple[Span, ...]


def lanes(records: Sequence[RunRecord], now_ms: float) -> list[Lane]:
    """The runs, each below the one that caused it, in the order of their starts."""
    ids = {record.summary.id for record in records}
    children: dict[str | None, list[RunRecord]] = {}
    for record in sorted(records, key=lambda one: one.summary.started_ms):
        parent = record.summary.parent_id
        children.setdefault(parent if parent in ids else None, []).append(record)
    found: list[Lane] = []
    waiting = [(record, 0) for record in reversed(children.pop(None, []))]
    while waiting:
        record, depth = waiting.pop()
        found.append(Lane(record, depth, _spans(record, now_ms)))
        caused = children.pop(record.summary.id, [])
        waiting += [(one, depth + 1) for one in reversed(caused)]
    return found


def _spans(record: RunRecord, now_ms: float) -> tuple[Span, ...]:
    spans: list[Span] = []
    for attempt in record.attempts:
        due = attempt.started_ms - (attempt.wait_ms or 0)
        if spans and due > spans[-1].end:
            spans.append(Span(spans[-1].end, due, _PAUSED, "dim"))
        if attempt.wait_ms:
            start = max(due, spans[-1].end if spans else due)
            spans.append(Span(start, max(start, attempt.started_ms), _QUEUED, "dim"))
        spans.append(_run_span(record, attempt, now_ms))
    return tuple(spans)


def _run_span(record: RunRecord, attempt: Attempt, now_ms: float) -> Span:
    start, end = attempt.started_ms, attempt.ended_ms
    if end is not None:
        style = STYLES["failed"] if attempt.error else STYLES["completed"]
        if attempt.error and record.summary.status == "cancelled":
            style = STYLES["cancelled"]
        return Span(start, max(start, end), _RUNNING, style)
    if attempt.is_lost:
        return Span(start, start, _LOST, STYLES["lost"])
    return Span(start, max(start, now_ms), _RUNNING, STYLES["running"])


def waterfall(records: Sequence[RunRecord], width: int, now_ms: float) -> list[Text]:
    """The lines of the waterfall, none wider than ``width``."""
    found = lanes(records, now_ms)
    names = [_name(lane) for lane in found]
    notes = [_note(lane, now_ms) for lane in found]
    first = min(span.start for lane in found for span in lane.spans)
    last = max(span.end for lane in found for span in lane.spans)
    left = min(max(len(name) for name in names), max(width // 3, 12))
    right = min(max(len(note) for note in notes), max(width // 3, 10))
    room = max(_NARROWEST, width - left - right - 6)
    lines = [_axis(left + 4, room, last - first)]
    for lane, name, note in zip(found, names, notes, strict=True):
        line = Text(no_wrap=True, overflow="ellipsis")
        status = "lost" if lane.record.is_lost else lane.record.summary.status
        line.append(_fitted(name, left)).append(f" {MARKS[status]} ", STYLES[status])
        line.append_text(_bar(lane.spans, first, max(last - first, 0.001), room))
        line.append(" ").append_text(note)
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return lines


def _name(lane: Lane) -> str:
    branch = "  " * (lane.depth - 1) + "└ " if lane.depth else ""
    return branch + printable(lane.record.summary.step).replace("\n", " ")


def _note(lane: Lane, now_ms: float) -> Text:
    """How long the run took, and what is not as usual."""
    summary, attempts = lane.record.summary, lane.record.attempts
    seen = [(one.ended_ms or now_ms) - one.started_ms for one in attempts if not one.is_lost]
    note = Text((duration(max(0.0, sum(seen))) if seen else "").rjust(9))
    tries = len(attempts) + lane.record.forgotten
    if tries > 1:
        note.append(f"  {tries} tries", STYLES["retrying"])
    if lane.record.is_lost:
        note.append("  its process is gone", STYLES["lost"])
    if summary.error is not None and summary.status != "completed":
        words = printable(str(summary.error)).replace("\n", " ")
        note.append(f"  {words}", STYLES["failed"])
    return note


def _fitted(name: str, width: int) -> str:
    return name.ljust(width) if len(name) <= width else f"{name[: width - 1]}…"


def _axis(indent: int, room: int, whole_ms: float) -> Text:
    """``0 ├────────┤ 1.24 s``, above the bars."""
    end = duration(whole_ms)
    line = "─" * max(0, room - len(end) - 4)
    return Text(f"{' ' * (indent - 1)}0 {line} {end}", "dim", no_wrap=True)


def _bar(spans: Sequence[Span], first: float, whole: float, room: int) -> Text:
    """Each span in its place; what is short has one character all the same."""
    cells: list[tuple[str, str]] = [(" ", "")] * room
    # What runs is drawn last: a wait must not hide it.
    for span in sorted(spans, key=lambda one: one.mark in (_RUNNING, _LOST)):
        start = min(room - 1, int((span.start - first) / whole * room))
        end = min(room, max(start + 1, round((span.end - first) / whole * room)))
        if span.mark in (_QUEUED, _PAUSED) and span.end - span.start < whole / room / 2:
            continue
        cells[start:end] = [(span.mark, span.style)] * (end - start)
    bar = Text()
    for mark, style in cells:
        bar.append(mark, style)
    return bar
