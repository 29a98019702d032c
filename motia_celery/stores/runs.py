"""Reading records: lists of runs, a run, the runs of a trace, and the lines that they logged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from motia_celery.model.record import (
    ALL_LINES,
    ALL_RUNS,
    Attempt,
    Entry,
    LogFilter,
    LogLine,
    RunFilter,
    RunPage,
    RunRecord,
    RunSummary,
)
from motia_celery.model.run import RunError
from motia_celery.stores.record_fields import Fields, all_fields, shown_fields
from motia_celery.stores.record_scripts import CLEAR
from motia_celery.stores.redis import connect_briefly, reaching

if TYPE_CHECKING:
    import redis

    from motia_celery.settings import Settings

#: A process with runs under way that has said nothing for so long is gone.
SILENCE_SECONDS = 20
TRACE_ID_LENGTH = 32
_CHUNK = 500
#: So many runs are looked at to count those that no index has.
COUNTED = 10_000
#: Commands, and the web process for all who look at its Workbench, ask for so much at once.
_CONNECTIONS = 4


class Runs:
    """The records of one prefix.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._client: redis.Redis = connect_briefly(settings, connections=_CONNECTIONS)
        self._prefix = settings.prefix
        self._kept_ms = settings.records_kept_days * 86_400_000

    def page(
        self, wanted: RunFilter = ALL_RUNS, limit: int = 50, cursor: str | None = None
    ) -> RunPage:
        """The newest runs that are wanted; ``cursor`` is an earlier page's, for those after it."""
        found: list[RunSummary] = []
        start = cursor
        with reaching(self._client):
            while len(found) < limit:
                runs, start = self._chunk(wanted, start)
                fitting = [run for run in runs if wanted.takes(run)]
                found += fitting[: limit - len(found)]
                if start is None:
                    break
        is_last = start is None and (not found or len(found) < limit)
        return RunPage(tuple(found), None if is_last or not found else _cursor(found[-1]))

    def count(self, wanted: RunFilter = ALL_RUNS, most: int = COUNTED) -> int | None:
        """How many runs are wanted; None where more than ``most`` had to be looked at for that."""
        index, rest = self._index(wanted)
        with reaching(self._client):
            until = "+inf" if wanted.until_ms is None else wanted.until_ms
            number = int(self._client.zcount(index, self._since(wanted), until))
            if rest == ALL_RUNS:
                return number
            return None if number > most else self._counted(wanted)

    def _counted(self, wanted: RunFilter) -> int:
        number, start = 0, None
        while True:
            runs, start = self._chunk(wanted, start)
            number += sum(wanted.takes(run) for run in runs)
            if start is None:
                return number

    def get(self, id: str) -> RunRecord | None:
        """Everything about a run; None where there is no record of it."""
        with reaching(self._client):
            return self._records([id])[0]

    def find(self, beginning: str) -> Sequence[str]:
        """The ids that begin so, at most ten of them."""
        with reaching(self._client):
            ids = self._client.zscan_iter(
                f"{self._prefix}:runs", match=f"{_literal(beginning)}*", count=1000
            )
            return [id.decode() for (id, _), _ in zip(ids, range(10), strict=False)]

    def find_trace(self, beginning: str) -> Sequence[str]:
        """The traces with runs that begin so, at most ten of them."""
        start = f"{self._prefix}:runs:trace:"
        with reaching(self._client):
            keys = self._client.scan_iter(f"{_literal(start + beginning)}*", count=1000)
            found = (key.decode().removeprefix(start) for key, _ in zip(keys, range(50)))  # noqa: B905
            return sorted(set(found))[:10]

    def trace(self, trace_id: str, limit: int | None = None) -> Sequence[RunRecord]:
        """The runs of a trace, in the order of their start; the first ones, with a limit."""
        last = -1 if limit is None else limit - 1
        with reaching(self._client):
            ids: Any = self._client.zrange(f"{self._prefix}:runs:trace:{trace_id}", 0, last)
            records = self._records([id.decode() for id in ids])
        return [record for record in records if record is not None]

    def trace_size(self, trace_id: str) -> int:
        """How many runs of a trace are kept."""
        with reaching(self._client):
            return int(self._client.zcard(f"{self._prefix}:runs:trace:{trace_id}"))

    def summaries(self, ids: Sequence[str]) -> Sequence[RunSummary]:
        """What lists show of the runs with these ids, without those that are gone."""
        with reaching(self._client):
            return self._summaries(ids)

    def clear(self) -> None:
        """Forgets all runs, traces and lines. Runs under way come back when they change."""
        with reaching(self._client):
            # New runs may come meanwhile: it need not be empty to be done.
            while self._client.eval(CLEAR, 0, self._prefix, _CHUNK) == _CHUNK:
                pass
            self._client.unlink(self._logs)

    def _chunk(self, wanted: RunFilter, cursor: str | None) -> tuple[list[RunSummary], str | None]:
        """Some runs of the index that fits best, and where the next ones begin."""
        until, after = _position(cursor, wanted.until_ms)
        since, (index, _) = self._since(wanted), self._index(wanted)
        for offset in count(0, _CHUNK):
            raw: Any = self._client.zrevrangebyscore(
                index, until, since, offset, _CHUNK, withscores=True
            )
            entries = [(id.decode(), score) for id, score in raw]
            fresh = [id for id, score in entries if after is None or (score, id) < after]
            if fresh or len(entries) < _CHUNK:
                break  # else more of them began in one instant than are read at once
        if len(entries) < _CHUNK:
            return self._summaries(fresh), None
        last_id, last_score = entries[-1]
        return self._summaries(fresh), f"{last_score!r} {last_id}"

    def _since(self, wanted: RunFilter) -> float:
        return max(wanted.since_ms or 0, time.time() * 1000 - self._kept_ms)

    def _index(self, wanted: RunFilter) -> tuple[str, RunFilter]:
        """The index that fits best, and what is still wanted of its runs; their time aside."""
        base, rest = f"{self._prefix}:runs", replace(wanted, since_ms=None, until_ms=None)
        if len(wanted.trace) == TRACE_ID_LENGTH:
            return f"{base}:trace:{wanted.trace}", replace(rest, trace="")
        if wanted.statuses == {"failed"}:
            return f"{base}:failed", replace(rest, statuses=frozenset())
        if len(wanted.steps) == 1:
            step = next(iter(wanted.steps))
            return f"{base}:step:{step}", replace(rest, steps=frozenset())
        return base, rest

    def _summaries(self, ids: Sequence[str]) -> list[RunSummary]:
        told = shown_fields(self._client, [self._key(id) for id in ids])
        return [
            _summary(id, fields)
            for id, fields in zip(ids, told, strict=True)
            if fields.get("head") is not None
        ]

    def _records(self, ids: Sequence[str]) -> list[RunRecord | None]:
        told = all_fields(self._client, [self._key(id) for id in ids])
        with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.zrange(f"{self._prefix}:runs:workers", 0, -1, withscores=True)
            (seconds, _), beats = pipe.execute()
        alive = {name.decode() for name, beat in beats if seconds - beat < SILENCE_SECONDS}
        return [_record(id, fields, alive) for id, fields in zip(ids, told, strict=True)]

    def _key(self, id: str) -> str:
        return f"{self._prefix}:run:{id}"

    def logs(
        self, wanted: LogFilter = ALL_LINES, limit: int = 100, before: str = ""
    ) -> Sequence[LogLine]:
        """The last lines that are wanted, the oldest of them first.

        With ``before``, the id of a line, the last ones before that.
        """
        found: list[LogLine] = []
        before = f"({before}" if before else "+"
        with reaching(self._client):
            while len(found) < limit:
                raw: Any = self._client.xrevrange(self._logs, max=before, count=_CHUNK)
                lines = read_lines(raw)
                found += [line for line in lines if wanted.takes(line)][: limit - len(found)]
                if len(raw) < _CHUNK:
                    break
                before = f"({raw[-1][0].decode()}"
        return found[::-1]

    def follow(
        self, wanted: LogFilter = ALL_LINES, after: str = "", wait_seconds: float = 2
    ) -> Iterator[LogLine | None]:
        """The lines that are wanted as they come, after the one with the id ``after``.

        None each time that nothing came for ``wait_seconds``.
        """
        with reaching(self._client):
            if not after:
                raw: Any = self._client.xrevrange(self._logs, count=1)
                after = raw[0][0].decode() if raw else "0"
            while True:
                answer: Any = self._client.xread(
                    {self._logs: after}, count=_CHUNK, block=round(wait_seconds * 1000)
                )
                if not answer:
                    yield None
                    continue
                entries = answer[0][1]
                after = entries[-1][0].decode()
                yield from (line for line in read_lines(entries) if wanted.takes(line))

    @property
    def _logs(self) -> str:
        return f"{self._prefix}:logs"

    def close(self) -> None:
        """Lets go of the connection."""
        self._client.close()


def _position(
    cursor: str | None, until_ms: float | None
) -> tuple[float | str, tuple[float, str] | None]:
    """The highest start to ask for, and what comes after the cursor among runs that began then."""
    if cursor is None:
        return ("+inf" if until_ms is None else until_ms), None
    score, _, id = cursor.partition(" ")
    return float(score), (float(score), id)


def _cursor(run: RunSummary) -> str:
    return f"{run.started_ms!r} {run.id}"


def _literal(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in text)


def _summary(id: str, fields: Fields) -> RunSummary:
    head = orjson.loads(fields["head"] or b"{}")
    number, _, status, ended, retry = _text(fields, "state").split(" ")
    known: Any = status
    return RunSummary(
        id=id,
        step=_text(fields, "step"),
        trigger=head.get("trigger", "event"),
        trace_id=_text(fields, "trace"),
        status=known,
        started_ms=float(_text(fields, "started")),
        ended_ms=_moment(ended),
        attempt=int(number),
        error=_error(orjson.loads(fields.get("error") or b"null")),
        queued_ms=head.get("due"),
        retry_ms=_moment(retry),
        parent_id=head.get("parent"),
        root_id=head.get("root"),
        event_id=head.get("event"),
        topic=head.get("topic"),
        group=head.get("group"),
        flows=tuple(head.get("flows") or ()),
    )


def _record(id: str, fields: Fields, alive: set[str]) -> RunRecord | None:
    if fields.get("head") is None:
        return None
    spans = _text(fields, "order").split()
    told = [orjson.loads(fields.get(f"a:{span}") or b"{}") for span in spans]
    attempts = [_attempt(span, one, alive) for span, one in zip(spans, told, strict=True)]
    return RunRecord(
        summary=_summary(id, fields),
        input=orjson.loads(fields.get("input") or b"null"),
        input_cut=not told or any("input_cut" in one for one in told),
        input_masked=any("input_masked" in one for one in told),
        attempts=tuple(sorted(attempts, key=lambda one: (one.started_ms, one.number))),
        forgotten=int(_text(fields, "forgotten") or 0),
    )


def _attempt(span: str, told: Mapping[str, Any], alive: set[str]) -> Attempt:
    worker = told.get("worker", "")
    return Attempt(
        number=told.get("number", 1),
        span_id=span,
        worker=worker.partition("#")[0],
        started_ms=told.get("started", 0),
        ended_ms=told.get("ended"),
        wait_ms=told.get("wait"),
        error=_error(told.get("error")),
        output=told.get("output"),
        output_cut="output_cut" in told,
        entries=tuple(Entry(*entry) for entry in told.get("entries", ())),
        dropped=told.get("dropped", 0),
        is_lost=told.get("ended") is None and worker not in alive,
    )


def _error(told: Any) -> RunError | None:
    if not isinstance(told, dict):
        return None
    return RunError(
        type=told.get("type", ""),
        message=told.get("message", ""),
        where=told.get("where", ""),
        traceback=told.get("traceback", ""),
    )


def _text(fields: Fields, name: str) -> str:
    return (fields.get(name) or b"").decode()


def _moment(text: str) -> float | None:
    return None if text == "-" else float(text)


def read_lines(entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> list[LogLine]:
    """The lines of entries of the log."""
    found = []
    for id, fields in entries:
        told = orjson.loads(fields[b"line"])
        found.append(
            LogLine(
                id=id.decode(),
                at_ms=told["ts"],
                level=told["level"],
                msg=told["msg"],
                step=told["step"],
                run_id=told["run_id"],
                trace_id=told["trace_id"],
                attempt=told["attempt"],
                flows=tuple(told.get("flows") or ()),
                data=told.get("data"),
            )
        )
    return found
