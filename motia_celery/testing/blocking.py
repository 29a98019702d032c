"""The same tester for tests that are plain functions; the app runs on a loop of its own thread."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from motia_celery.model.dead_letter import DeadLetter
from motia_celery.model.record import Status
from motia_celery.plan import Plan
from motia_celery.testing.result import Emitted, Logged, RunResult
from motia_celery.testing.stream_client import StreamClient
from motia_celery.testing.tester import StepTester

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class SyncStepTester:
    """:class:`StepTester` without ``await``; it takes the same arguments.

    ``with SyncStepTester() as app:``
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self._tester = StepTester(*arguments, **keywords)
        self._opening: AbstractContextManager[BlockingPortal] | None = None
        self._portal: BlockingPortal | None = None

    def __enter__(self) -> Self:
        opening = start_blocking_portal("asyncio")
        portal = opening.__enter__()
        try:
            portal.call(self._tester.__aenter__)
        except BaseException:
            opening.__exit__(None, None, None)
            raise
        self._opening, self._portal = opening, portal
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        assert self._opening is not None
        try:
            self._do(self._tester.__aexit__, None, None, None)
        finally:
            self._opening.__exit__(None, None, None)
            self._opening = self._portal = None

    def _do(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        if self._portal is None:
            self._tester._started  # noqa: B018 - it raises
        assert self._portal is not None
        return self._portal.call(partial(function, *arguments, **keywords))

    def emit(
        self,
        topic: str,
        data: Any = None,
        *,
        delay: float | None = None,
        group: str | None = None,
        priority: int | None = None,
        id: str | None = None,
    ) -> bool:
        """See :meth:`StepTester.emit`."""
        emit = partial(self._tester.emit, delay=delay, group=group, priority=priority, id=id)
        return bool(self._do(emit, topic, data))

    @property
    def client(self) -> SyncClient:
        """An HTTP client of the app's routes: ``app.client.get("/orders/1")``."""
        return SyncClient(self)

    def tick(self, step: str) -> None:
        """See :meth:`StepTester.tick`."""
        self._do(self._tester.tick, step)

    @property
    def now(self) -> datetime:
        """See :attr:`StepTester.now`."""
        return self._tester.now

    @property
    def on_servers(self) -> bool:
        """Whether the app runs on real servers."""
        return self._tester.on_servers

    def settle(self) -> list[RunResult]:
        """See :meth:`StepTester.settle`."""
        return list(self._do(self._tester.settle))

    def advance(self, span: float | timedelta) -> None:
        """See :meth:`StepTester.advance`."""
        self._do(self._tester.advance, span)

    def runs(self, step: str | None = None, status: Status | None = None) -> list[RunResult]:
        """See :meth:`StepTester.runs`."""
        return list(self._do(self._tester.runs, step, status))

    def run(self, step: str) -> RunResult:
        """See :meth:`StepTester.run`."""
        found: RunResult = self._do(self._tester.run, step)
        return found

    def emits(self, topic: str | None = None) -> list[Emitted]:
        """See :meth:`StepTester.emits`."""
        return list(self._do(self._tester.emits, topic))

    def logs(self, level: str | None = None) -> list[Logged]:
        """See :meth:`StepTester.logs`."""
        return list(self._do(self._tester.logs, level))

    def dead_letters(self, step: str | None = None) -> list[DeadLetter]:
        """See :meth:`StepTester.dead_letters`."""
        return list(self._do(self._tester.dead_letters, step))

    def replay(self, letter: DeadLetter) -> None:
        """See :meth:`StepTester.replay`."""
        self._do(self._tester.replay, letter)

    def redeliver(self, run: RunResult) -> None:
        """See :meth:`StepTester.redeliver`."""
        self._do(self._tester.redeliver, run)

    @property
    def state(self) -> Any:
        """The state, whose methods give their values at once."""
        return _Blocking(self, self._tester.state)

    @property
    def streams(self) -> Any:
        """The streams, whose methods give their values at once."""
        return _Blocking(self, self._tester.streams)

    def may_join(
        self, stream: str, subscription: Mapping[str, Any], auth_context: Any = None
    ) -> bool:
        """See :meth:`StepTester.may_join`."""
        return bool(self._do(self._tester.may_join, stream, subscription, auth_context))

    @contextmanager
    def join(self, stream: str, group: str, id: str | None = None, **options: Any) -> Iterator[Any]:
        """See :meth:`StepTester.join`; the client's methods give their values at once."""
        client = self._do(_joined, self._tester, stream, group, id, options)
        try:
            yield _Blocking(self, client)
        finally:
            self._do(client.__aexit__, None, None, None)

    @property
    def plan(self) -> Plan:
        """See :attr:`StepTester.plan`."""
        return self._tester.plan

    def module(self, step: str) -> ModuleType:
        """See :meth:`StepTester.module`."""
        return self._tester.module(step)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """The app's response to a request; ``options`` are those of httpx."""
        # The client is made on the app's own loop.
        response: httpx.Response = self._do(_request, self._tester, method, url, options)
        return response


async def _request(
    tester: StepTester, method: str, url: str, options: Mapping[str, Any]
) -> httpx.Response:
    return await tester.client.request(method, url, **options)


async def _joined(tester: StepTester, *place: Any) -> StreamClient:
    *names, options = place
    return await tester.join(*names, **options).__aenter__()


class SyncClient:
    """An HTTP client of the app's routes, with httpx's options and responses."""

    def __init__(self, app: SyncStepTester) -> None:
        self.request = app.request

    def get(self, url: str, **options: Any) -> httpx.Response:
        """The response to a GET."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """The response to a POST."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> httpx.Response:
        """The response to a PUT."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> httpx.Response:
        """The response to a PATCH."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> httpx.Response:
        """The response to a DELETE."""
        return self.request("DELETE", url, **options)


class _Blocking:
    """A store or a client whose coroutines are waited for."""

    def __init__(self, app: SyncStepTester, inner: Any) -> None:
        self._app = app
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(member):
            return member
        return lambda *arguments, **keywords: self._app._do(member, *arguments, **keywords)
