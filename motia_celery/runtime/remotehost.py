"""Remote hosts: the Steps of other languages, in one process of each beside this one."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypedDict

from motia_celery.context import Context
from motia_celery.errors import HostMissingError
from motia_celery.model.run import Run
from motia_celery.model.step import Language
from motia_celery.observe.metrics import Metric, meter
from motia_celery.process import process_id
from motia_celery.runtime.crossing import (
    ContextAnswerer,
    NoContext,
    call_fields,
    told_fields,
    trigger_fields,
)
from motia_celery.runtime.frames import DEFAULT_LIMIT_BYTES
from motia_celery.runtime.loading import load_files
from motia_celery.runtime.middleware import ProjectCalls
from motia_celery.runtime.process import HostCommand, Link
from motia_celery.runtime.remote import RemoteError, RemoteHandler
from motia_celery.runtime.source import Definition, SourceFile, TriggerFunctions

#: A child that died is started again at once; one that keeps dying after a pause that doubles.
_LONGEST_PAUSE_SECONDS = 10.0
_STABLE_SECONDS = 30.0
_MOST_STARTED_BYS = 2_000

Loaded = Definition | RemoteError | HostMissingError


def version_of(program: str) -> tuple[int, ...]:
    """The first two numbers that ``program --version`` tells; none where it does not run."""
    try:
        told = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", told.stdout)[:2])


class HostOptions(TypedDict, total=False):
    """How a host is treated; tests make it impatient."""

    limit_bytes: int
    cancel_grace_seconds: float
    load_patience_seconds: float
    silence_seconds: float


class RemoteHost(ProjectCalls, ABC):
    """The Steps of one process whose language another program runs: the child.

    The child starts at the first call, belongs to the event loop of that call, and is started
    again if it ends. A handler that was cut and keeps the child busy takes it down after
    ``cancel_grace_seconds``.
    """

    #: What it calls handlers of.
    languages: ClassVar[tuple[Language, ...]]
    #: Counts the children that ended by themselves.
    restarts: ClassVar[Metric]

    def __init__(
        self,
        root: Path,
        *,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        cancel_grace_seconds: float = 2,
        load_patience_seconds: float = 10,
        silence_seconds: float = 5,
    ) -> None:
        self._root = root
        self._limit = limit_bytes
        self._grace = cancel_grace_seconds
        self._load_patience = load_patience_seconds
        self._silence = silence_seconds
        #: What files define, by :attr:`SourceFile.file`; those that are here are not loaded again.
        self.told: Mapping[str, Definition] = MappingProxyType({})
        self._files: dict[str, str] = {}
        self._rules: dict[str, str] = {}
        self._hooks: dict[str, Mapping[str, Any]] = {}
        self._config_file: str | None = None
        self._started_bys: dict[Any, Mapping[str, Any]] = {}
        self._link: Link | None = None
        self._pid = process_id()
        self._starting: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._started = 0.0
        self._pause = 0.0

    def load_all(self, sources: Sequence[SourceFile]) -> Mapping[str, Loaded]:
        """What each file defines, or why it can not be used; by :attr:`SourceFile.file`.

        The files are executed in children that end afterwards, but for those in :attr:`told`.
        """
        known = {s.file: self.told[s.file] for s in sources if s.file in self.told}
        found = {**known, **self._load([s for s in sources if s.file not in known])}
        defined = {file: one for file, one in found.items() if isinstance(one, Definition)}
        self.told = {**self.told, **defined}
        return found

    def _load(self, sources: Sequence[SourceFile]) -> Mapping[str, Loaded]:
        if not sources:
            return {}
        try:
            command = self.command()
        except HostMissingError as missing:
            return {source.file: missing for source in sources}
        paths = [str(source.path) for source in sources]
        loaded = load_files(command, paths, self._load_patience)
        return {source.file: _loaded(loaded[str(source.path)]) for source in sources}

    def command(self) -> HostCommand:
        """How a child is started.

        Raises:
            HostMissingError: the language is not installed.
        """
        return HostCommand(arguments=self.arguments(), root=self._root, limit_bytes=self._limit)

    @abstractmethod
    def arguments(self) -> Sequence[str]:
        """The program that runs the language, and the host's file.

        Raises:
            HostMissingError: the language is not installed.
        """

    def register(self, step: str, definition: Definition) -> None:
        """Makes the definition's handler the one that runs for ``step``."""
        if isinstance(definition.handler, RemoteHandler):
            self._files[step] = definition.handler.file

    def register_access(self, stream: str, definition: Definition) -> None:
        """Makes the definition's ``canAccess`` the stream's rule, and its hooks the stream's."""
        self._hooks[stream] = definition.hooks
        if isinstance(definition.can_access, RemoteHandler):
            self._rules[stream] = definition.can_access.file

    async def can_access(
        self, stream: str, subscription: Mapping[str, Any], auth_context: Any
    ) -> bool:
        """What the stream's ``canAccess`` says.

        Raises:
            RemoteError: what it threw.
            HostDiedError: the child ended meanwhile.
            HostMissingError: the language is not installed.
        """
        fields = {"file": self._rules[stream], "subscription": subscription, "auth": auth_context}
        link = await self._living()
        return await link.call({"type": "access", **fields}, NoContext()) is True

    async def call_hook(self, hook: str, run: Run, context: Context) -> bool:
        """Calls a hook of the stream ``run.step``, and says whether the client may join.

        Raises:
            RemoteError: what it threw.
            HostDiedError: the child ended meanwhile.
            HostMissingError: the language is not installed.
        """
        function = self._hooks[run.step].get(hook)
        if not isinstance(function, RemoteHandler):
            raise TypeError(f"{hook} is no function but {function}")
        message = {"type": "hook", "hook": hook, **call_fields(function.file, run)}
        link = await self._living()
        return await link.call(message, ContextAnswerer(context)) is True

    def register_authentication(self, definition: Definition) -> None:
        """Makes the definition's ``authenticate`` the app's."""
        if isinstance(definition.authenticate, RemoteHandler):
            self._config_file = definition.authenticate.file

    async def authenticate(self, request: Mapping[str, Any]) -> Any:
        """What the app's ``authenticate`` says of a request (``headers`` and ``url``).

        Raises:
            RemoteError: what it threw.
            HostDiedError: the child ended meanwhile.
            HostMissingError: the language is not installed.
        """
        fields = {"file": self._config_file, "request": request}
        link = await self._living()
        return await link.call({"type": "authenticate", **fields}, NoContext())

    async def call(self, run: Run, context: Context) -> Any:
        """Calls the Step's handler once, and gives what it returned.

        Raises:
            RemoteError: what the handler threw.
            HostDiedError: the child ended meanwhile.
            HostMissingError: the language is not installed.
        """
        link = self._usable(asyncio.get_running_loop()) or await self._living()
        fields = told_fields(self._files[run.step], run, self._started_by(run, context))
        fields |= self.around_fields(run)
        return await link.call(fields, ContextAnswerer(context))

    async def warm(self, steps: Iterable[str]) -> None:
        """Has the child load the files of these Steps, and of all rules, before the first call.

        Raises:
            HostMissingError: the language is not installed.
        """
        handlers = {self._files[step] for step in steps if step in self._files}
        files = {*handlers, *self._rules.values(), *filter(None, [self._config_file])}
        if files:
            (await self._living()).load(sorted(files))

    def _started_by(self, run: Run, context: Context) -> Mapping[str, Any]:
        """What started the run, made once for each topic of a Step."""
        key = (run.step, run.trigger, run.trigger_index, run.topic)
        fields = self._started_bys.get(key)
        if fields is None:
            if len(self._started_bys) >= _MOST_STARTED_BYS:  # topics may be as many as orders
                self._started_bys.clear()
            fields = self._started_bys[key] = trigger_fields(context.trigger)
        return fields

    async def _living(self) -> Link:
        """The child, started if there is none; all calls that come meanwhile wait for the same."""
        loop = asyncio.get_running_loop()
        if self._pid != process_id():  # the parent's child is not ours
            self._pid, self._link, self._starting = process_id(), None, None
        if self._starting is None or self._starting[0] is not loop:
            self._starting = (loop, asyncio.Lock())
        async with self._starting[1]:
            return self._usable(loop) or await self._start()

    def _usable(self, loop: asyncio.AbstractEventLoop) -> Link | None:
        link = self._link
        if link is None or link.loop is not loop or not link.is_alive:
            return None
        return link if self._pid == process_id() else None

    async def _start(self) -> Link:
        if self._link is not None and self._link.is_alive:  # of another event loop
            self._link.kill()
        elif self._link is not None:
            meter.count(self.restarts)
            stable = time.monotonic() - self._started > _STABLE_SECONDS
            pause = 0.0 if stable else self._pause
            self._pause = min(max(0.1, pause * 2), _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)
        self._started = time.monotonic()
        self._link = await Link.open(self.command(), self._grace, self._silence)
        return self._link

    @property
    def pid(self) -> int | None:
        """The child, once it runs."""
        return self._link.pid if self._link is not None and self._link.is_alive else None

    async def aclose(self) -> None:
        """:meth:`close`, from the event loop of the calls; returns once the process is gone."""
        if (link := self._usable(asyncio.get_running_loop())) is not None:
            await link.end()
        self.close()

    def close(self) -> None:
        """Ends the child; runs that it still has fail."""
        if self._link is not None and self._pid == process_id():
            self._link.kill()


def _loaded(message: Mapping[str, Any] | RemoteError) -> Definition | RemoteError:
    if isinstance(message, RemoteError):
        return message
    if message.get("error"):
        return RemoteError.read(message["error"])
    told = message["definition"]
    if "authenticateType" in told:
        return Definition(
            config={},
            authenticate=_authenticate(message["file"], told),
            project={"file": message["file"], **told["project"]},
        )
    config = told["config"]
    function = RemoteHandler(file=message["file"])
    rule = function if told["hasCanAccess"] else told.get("accessType")
    kinds = told.get("hooks", {})
    hooks = {name: function if kind == "function" else kind for name, kind in kinds.items()}
    if isinstance(config, dict):
        config = {**config, **({"canAccess": rule} if rule else {}), **hooks}
    return Definition(
        config=config,
        can_access=rule or None,
        hooks=hooks,
        handler=_handler(message["file"], told),
        triggers=tuple(_triggers(message["file"], told.get("triggers") or ())),
        warnings=tuple((w["field"], w["message"]) for w in told["warnings"]),
    )


def _authenticate(file: str, told: Mapping[str, Any]) -> Any:
    """The function, or what stands in its place: the name of a type, or nothing."""
    kind = told["authenticateType"]
    return RemoteHandler(file=file) if kind == "function" else kind or None


def _handler(file: str, told: Mapping[str, Any]) -> Any:
    """The handler, or what stands in its place: the name of a type, or nothing."""
    if told["hasHandler"] and "Generator" not in told["handlerType"]:
        return RemoteHandler(file=file, by_kind=told.get("handlerKinds"))
    return told["handlerType"] or None


def _triggers(file: str, told: Sequence[Mapping[str, Any]]) -> Iterator[TriggerFunctions]:
    """Conditions are the same object where they are the same function."""
    functions: dict[int, RemoteHandler] = {}
    for trigger in told:
        condition: Any = trigger["condition"] or None
        if condition == "function":
            condition = functions.setdefault(trigger["same"], RemoteHandler(file=file))
        yield TriggerFunctions(kind=trigger["kind"], condition=condition)
