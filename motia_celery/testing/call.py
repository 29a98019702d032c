"""One handler under test: called once, with a context that only notes what is done with it."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from motia_celery.context import Context, Services
from motia_celery.context.request import Request
from motia_celery.errors import ConfigError
from motia_celery.model.changed import change_input
from motia_celery.model.emit import EmitOptions
from motia_celery.model.event import Event
from motia_celery.model.reading import read_step
from motia_celery.model.record import Entry, EntryKind
from motia_celery.model.run import Run, Success, TriggerType
from motia_celery.model.step import StateTrigger, Step
from motia_celery.model.trace import Trace
from motia_celery.model.transaction import StateChange
from motia_celery.observe.logs import Capturing, keeping_lines
from motia_celery.run.responses import build_response
from motia_celery.runtime.deadline import within
from motia_celery.runtime.faults import load_problem
from motia_celery.runtime.host import completed
from motia_celery.runtime.languages import LANGUAGES, remote_host
from motia_celery.runtime.modules import STEP_FOLDERS
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.remotehost import RemoteHost
from motia_celery.runtime.source import Definition, SourceFile
from motia_celery.stores.memory_state import MemoryState
from motia_celery.stores.memory_streams import MemoryStreams
from motia_celery.testing.recordings import Recordings, WholeRecording, entry_of
from motia_celery.testing.reply import WholeReply
from motia_celery.testing.result import (
    Emitted,
    Logged,
    StateChanged,
    StreamChanged,
    emitted,
    logged,
    stream_changed,
)

Groups = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What one call of a handler did.

    ``state`` is what is there afterwards, by group and key; ``streams`` by stream, group and id.
    ``error`` is what the handler raised, where it was not to be raised.
    """

    result: Any = None
    error: BaseException | None = None
    state: dict[str, dict[str, Any]] = field(default_factory=dict)
    streams: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()

    @property
    def emits(self) -> list[Emitted]:
        """The events that it emitted; those of topics that are not declared are not ``sent``."""
        return [emitted(entry) for entry in self._of("emit")]

    @property
    def state_changes(self) -> list[StateChanged]:
        """What it changed in the state, in its order."""
        return [StateChanged(**entry.fields) for entry in self._of("state")]

    @property
    def stream_changes(self) -> list[StreamChanged]:
        """What it changed in streams, or sent on them."""
        return [stream_changed(entry) for entry in self._of("stream")]

    @property
    def logs(self) -> list[Logged]:
        """The lines that it logged."""
        return [logged(entry) for entry in self._of("log")]

    @property
    def status(self) -> int:
        """The status of the response, of an http Step."""
        return build_response(self.result).status

    @property
    def body(self) -> Any:
        """The body of the response as its client reads it: JSON parsed, other text, or bytes."""
        response = build_response(self.result)
        if self.headers.get("content-type", "").startswith("application/json"):
            return orjson.loads(response.body)
        returned = self.result["body"] if isinstance(self.result, Mapping) else None
        return response.body.decode() if isinstance(returned, str) else response.body

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response, their names in lower case."""
        pairs = build_response(self.result).headers
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}

    def _of(self, kind: EntryKind) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == kind]


async def call_step(
    step: str | Path | ModuleType,
    data: Any = None,
    *,
    body: Any = None,
    path_params: Mapping[str, str] | None = None,
    query_params: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
    state: Groups | None = None,
    streams: Mapping[str, Groups] | None = None,
    topic: str | None = None,
    trigger: TriggerType | None = None,
    attempt: int = 1,
    root: str | Path | None = None,
    raises: bool = True,
) -> CallResult:
    """Calls a Step's handler once, and gives what it did.

    ``step`` is its file (in any language), relative to ``root`` or the current folder, or its
    imported module. ``data`` is that of the event; ``body``, ``path_params``, ``query_params`` and
    ``headers`` make the request. ``state`` (group, key) and ``streams`` (stream, group, id) hold
    what is there before. Middleware runs; the body and the data are given as JSON would carry them.
    A response that the handler writes is whole in the result, as if it were returned.
    Of a Step that several things start, ``trigger`` is ``http``, ``event``, ``cron``, ``state`` or
    ``stream``; a ``topic`` means ``event``.

    Raises:
        ConfigError: the file is no Step that can run.
        Exception: what the handler raises, unless ``raises`` is false.
    """
    async with _loaded(step, _folder(root)) as (found, host):
        trigger = trigger or _trigger(found, topic)
        given = _json(data, found)
        if trigger == "http":
            given = _request(found, body, path_params, query_params, headers)
            given.reply = WholeReply()
        run = Run(
            id=str(uuid.uuid4()),
            step=found.name,
            trigger=trigger,
            input=change_input(trigger, given),
            trace=Trace.start(),
            flows=found.flows,
            topic=topic or (found.topics[0] if trigger == "event" else None),
            attempt=attempt,
            max_attempts=found.retry.max_attempts,
        )
        return await _call(found, host, run, state or {}, streams or {}, raises=raises)


def call_step_sync(step: str | Path | ModuleType, data: Any = None, **options: Any) -> CallResult:
    """:func:`call_step` for tests that are plain functions."""
    return asyncio.run(call_step(step, data, **options))


async def _call(
    step: Step,
    host: PythonHost | RemoteHost,
    run: Run,
    state: Groups,
    streams: Mapping[str, Groups],
    *,
    raises: bool,
) -> CallResult:
    values, items = await _filled(state, streams)
    services = Services(
        emitter=_Noting(values), state=values, streams=items, stream_names=_AnyName()
    )
    recording = Recordings().begin(run)
    context = Context(run, step, services, recording)
    result, error = None, None
    with keeping_lines("debug"), Capturing(context):
        try:
            work = completed(host.call(run, context), context)
            result = await within(step.timeout_seconds, work, step.name)
            if isinstance(reply := context.reply, WholeReply) and reply.status is not None:
                result = reply.result
        except Exception as raised:
            if raises:
                raise
            error = raised
    recording.ended(Success(result))
    return await _told(result, error, values, items, recording)


async def _filled(state: Groups, streams: Mapping[str, Groups]) -> tuple[MemoryState, _Items]:
    values, items = MemoryState(), _Items()
    for group, entries in state.items():
        for key, value in entries.items():
            await values.set(group, key, value)
    for stream, groups in streams.items():
        for group, entries in groups.items():
            for id, item in entries.items():
                await items.set(stream, group, id, item)
    return values, items


async def _told(
    result: Any,
    error: BaseException | None,
    values: MemoryState,
    items: _Items,
    recording: WholeRecording,
) -> CallResult:
    return CallResult(
        result=result,
        error=error,
        state={group: await values.items(group) for group in await values.groups()},
        streams={name: await _groups(items, name) for name in sorted(items.names)},
        entries=tuple(entry_of(note) for note in recording.notes),
    )


async def _groups(items: _Items, stream: str) -> dict[str, dict[str, Any]]:
    groups = await items.groups(stream)
    return {
        group: {item["id"]: item for item in await items.get_group(stream, group)}
        for group in groups
    }


class _AnyName(frozenset[str]):
    """The names of all streams: a single file does not tell which ones there are."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)


class _Items(MemoryStreams):
    """Streams that know which ones were written to."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    async def set(self, stream: str, group: str, id: str, data: Any) -> Any:
        """Creates or replaces the item, and gives it."""
        self.names.add(stream)
        return await super().set(stream, group, id, data)

    async def update(self, stream: str, group: str, id: str, operations: Any) -> Any:
        """Changes the item in one step."""
        self.names.add(stream)
        return await super().update(stream, group, id, operations)


class _Noting:
    """Takes events, and does nothing but the changes of state of a transaction."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def emit(
        self, event: Event, options: EmitOptions, *, timeout_seconds: float | None = None
    ) -> bool:
        """Whether the event could be sent: it is, if its data has a JSON form."""
        return bool(event.body)

    async def commit(
        self,
        changes: Sequence[StateChange],
        events: Sequence[tuple[Event, EmitOptions]],
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        """Makes the changes."""
        for change in changes:
            await self._state.set(change.group, change.key, change.value)


# Which Step


def _folder(root: str | Path | None) -> Path:
    return Path(root or os.environ.get("MOTIA_ROOT") or ".").resolve()


@asynccontextmanager
async def _loaded(
    step: str | Path | ModuleType, root: Path
) -> AsyncIterator[tuple[Step, PythonHost | RemoteHost]]:
    source = _source(step, root)
    if isinstance(step, ModuleType) or source.language == "python":
        host: PythonHost | RemoteHost = PythonHost(_project(source, root))
    else:
        host = remote_host(source.language, root)
    try:
        definition = _definition(step, source, host, root)
        found = _step(definition, source)
        host.register(found.name, definition)
        yield found, host
    finally:
        if isinstance(host, RemoteHost):
            await host.aclose()
        host.close()


def _source(step: str | Path | ModuleType, root: Path) -> SourceFile:
    place = step.__file__ or "" if isinstance(step, ModuleType) else step
    path = (root / place).resolve()
    language = LANGUAGES.get(path.suffix.removeprefix("."))
    if language is None or not path.is_file():
        raise ConfigError("there is no such Step file.", str(step), f"Look below {root}.")
    file = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return SourceFile(path=path, file=file, kind="step", language=language)


def _project(source: SourceFile, root: Path) -> Path:
    """The project that the file lies in: where its ``steps/`` or ``src/`` is."""
    if source.path.is_relative_to(root):
        return root
    for parent in source.path.parents:
        if parent.name in STEP_FOLDERS:
            return parent.parent
    return source.path.parent


def _definition(
    step: str | Path | ModuleType, source: SourceFile, host: PythonHost | RemoteHost, root: Path
) -> Definition:
    if isinstance(host, RemoteHost):
        loaded = host.load_all([source])[source.file]
        if isinstance(loaded, Definition):
            return loaded
        problem = load_problem(loaded, source.file, source.path, root)
        raise ConfigError(f"{problem.what}.", problem.place, problem.fix)
    if isinstance(step, ModuleType):
        return host.define(step, source)
    return host.load(source)


def _step(definition: Definition, source: SourceFile) -> Step:
    step, problems = read_step(
        definition.config, file=source.file, path=str(source.path), language=source.language
    )
    if step is None:
        raise ConfigError(f"{problems[0].what}.", source.file, problems[0].fix)
    if not step.triggers or definition.handler is None:
        raise ConfigError("the Step has no handler to call.", source.file, "Define handler.")
    return step


# What it is given


def _trigger(step: Step, topic: str | None) -> TriggerType:
    if topic and step.events:
        return "event"
    if step.http:
        return "http"
    if step.events or step.crons:
        return "event" if step.events else "cron"
    return "state" if isinstance(step.changes[0][1], StateTrigger) else "stream"


def _json(data: Any, step: Step) -> Any:
    """The data as it would arrive."""
    return orjson.loads(Event(topic=step.name, data=data).body)


def _request(
    step: Step,
    body: Any,
    path_params: Mapping[str, str] | None,
    query_params: Mapping[str, Any] | None,
    headers: Mapping[str, Any] | None,
) -> Request:
    trigger = step.http[0]
    is_raw = isinstance(body, (str, bytes)) or body is None
    raw = body if is_raw else orjson.dumps(body)
    raw_bytes = raw.encode() if isinstance(raw, str) else raw or b""
    values = {
        "pathParams": dict(path_params or {}),
        "queryParams": dict(query_params or {}),
        "body": {} if body is None else body if is_raw else orjson.loads(raw_bytes),
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "rawBody": raw_bytes.decode(errors="replace"),
    }
    return Request(values, method=trigger.method, path=trigger.path, raw_bytes=raw_bytes)
