"""State from outside of the app: what the commands ``motia-celery state …`` do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from motia_celery.errors import StateValueError
from motia_celery.run.environment import read_environment
from motia_celery.stores.embedded import EmbeddedServer, data_directory, running_server
from motia_celery.stores.redis import connect
from motia_celery.stores.state import RedisState

if TYPE_CHECKING:
    from motia_celery.model.told import Teller
    from motia_celery.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A value with its place, as export writes it; ``ttl_seconds`` is what is left of its life."""

    group: str
    key: str
    value: Any
    ttl_seconds: float | None = None

    @property
    def line(self) -> bytes:
        """The entry as one line of JSON."""
        life = {} if self.ttl_seconds is None else {"ttl_seconds": self.ttl_seconds}
        entry = {"group": self.group, "key": self.key, "value": self.value, **life}
        return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def read(cls, line: bytes, where: str) -> Entry:
        """The entry of a line.

        Raises:
            StateValueError: it is none.
        """
        try:
            entry = cls(**orjson.loads(line))
        except (orjson.JSONDecodeError, TypeError) as error:
            raise _no_entry(str(error), where) from error
        if not isinstance(entry.group, str) or not isinstance(entry.key, str):
            raise _no_entry("group and key are text", where)
        return entry


def _no_entry(reason: str, where: str) -> StateValueError:
    return StateValueError(
        f"is no entry ({reason}).", where, 'Write {"group": "…", "key": "…", "value": …}.'
    )


@asynccontextmanager
async def open_state(teller: Teller | None = None) -> AsyncIterator[RedisState]:
    """The project's state: in its Redis, or in the embedded server, started if it does not run.

    Changes start whom the teller names.

    Raises:
        SettingsError: no Redis is set, and `dev` has never run here.
        StoreUnavailableError: it does not answer.
    """
    settings = read_environment()
    with ExitStack() as stack:
        if settings.redis_url is None:
            settings = _embedded(settings, stack)
        client = connect(settings)
        try:
            state = RedisState(client, settings.prefix)
            yield state.telling(teller) if teller else state
        finally:
            await client.aclose()


def project_teller() -> Teller | None:
    """What tells the project's triggers of changes; None where it has none that hear any."""
    from motia_celery.run.app import App  # it imports much, which reading does not need

    app = App(read_environment())
    try:
        events = app.change_events()
        return events.made_by() if events else None
    finally:
        app.close()


def _embedded(settings: Settings, stack: ExitStack) -> Settings:
    directory = data_directory(settings.project_root)
    if not directory.is_dir():
        return settings  # whose redis_url tells what to do
    url = (
        running_server(settings.project_root) or stack.enter_context(EmbeddedServer(directory)).url
    )
    return read_environment(redis_url=url)


async def export(state: RedisState, groups: Iterable[str] = ()) -> AsyncIterator[Entry]:
    """Every entry of these groups, or of all."""
    for group in [*groups] or await state.groups():
        lives = await state.lives(group)
        for key, value in (await state.items(group)).items():
            yield Entry(group=group, key=key, value=value, ttl_seconds=lives.get(key))


async def import_(
    state: RedisState,
    entries: Sequence[Entry],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Sets each entry, and gives how many there were; other keys stay."""
    for done, entry in enumerate(entries, start=1):
        await state.set(entry.group, entry.key, entry.value, ttl_seconds=entry.ttl_seconds)
        progress(done, len(entries))
    return len(entries)
