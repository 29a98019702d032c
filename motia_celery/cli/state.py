"""Look at state and change it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from motia_celery.model.told import Teller
    from motia_celery.stores.state import RedisState

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help=__doc__)

Group = Annotated[str, typer.Argument(help="The group.")]
Key = Annotated[str, typer.Argument(help="The key in the group.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on one line.")]


@app.command()
def get(group: Group, key: Key, json: AsJson = False) -> None:
    """Print a value; exit code 1 if there is none."""
    value = _with_state(lambda state: state.get(group, key))
    _require(value is not None, group, key)
    _print(value, json)


@app.command("set")
def set_(
    group: Group,
    key: Key,
    value: Annotated[str, typer.Argument(help="The value as JSON; - reads standard input.")],
    text: Annotated[bool, typer.Option("--text", help="The value is text, not JSON.")] = False,
    ttl: Annotated[
        float | None, typer.Option("--ttl", help="Seconds after which the key is gone.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Store a value."""
    given = sys.stdin.read() if value == "-" else value
    parsed = given if text else _parsed(given, f"{group} {key}")
    _changing(lambda state: state.set(group, key, parsed, ttl_seconds=ttl))
    _say(parsed, json, f"Set {group} {key}.")


@app.command("list")
def list_(
    group: Annotated[str | None, typer.Argument(help="The group; without it, all groups.")] = None,
    json: AsJson = False,
) -> None:
    """List the groups, or the keys and values of one."""
    if group is None:
        names = _with_state(lambda state: state.groups())
        if json:
            _print(names, json)
        else:
            sys.stdout.writelines(f"{name}\n" for name in names)
        return
    items = _with_state(lambda state: state.items(group))
    if json:
        _print(items, json)
    else:
        sys.stdout.writelines(f"{key}\t{_line(value)}\n" for key, value in items.items())


@app.command()
def delete(
    group: Group,
    key: Annotated[str | None, typer.Argument(help="The key in the group.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete the whole group.")] = False,
    json: AsJson = False,
) -> None:
    """Delete a key, or with --all a group; exit code 1 if there is no such key."""
    if (key is None) != everything:
        raise typer.BadParameter("Name a key, or say --all for the whole group.")
    if key is None:
        _changing(lambda state: state.clear(group))
        _say(None, json, f"Deleted the group {group}.")
        return
    removed = _changing(lambda state: state.delete(group, key))
    _require(removed is not None, group, key)
    _say(removed, json, f"Deleted {group} {key}.")


@app.command()
def export(
    group: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="Only this group; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; else the terminal.")
    ] = None,
) -> None:
    """Print every entry as a line of JSON, which `import` reads."""
    from motia_celery.run.state import export as entries

    async def write(state: RedisState) -> None:
        file = output.open("wb") if output else sys.stdout.buffer
        count = 0
        try:
            # A bar between the lines of a terminal would spoil both.
            with _bar("Exporting", shown=not file.isatty()) as tell:
                async for entry in entries(state, group or ()):
                    file.write(entry.line)
                    count += 1
                    tell(count, None)
        finally:
            file.flush() if file is sys.stdout.buffer else file.close()

    _with_state(write)


def _bar(what: str, *, shown: bool = True) -> AbstractContextManager[Callable[..., None]]:
    from motia_celery.cli.terminal import progress

    return progress(what) if shown else nullcontext(lambda *_: None)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="What `export` wrote; - is standard input.")],
    json: AsJson = False,
) -> None:
    """Store the entries of a file; keys that it does not name stay as they are."""
    from motia_celery.run.state import Entry
    from motia_celery.run.state import import_ as store

    text = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    lines = enumerate(text.splitlines(), start=1)
    entries = [Entry.read(line, f"{file}:{number}") for number, line in lines if line.strip()]
    with _bar("Importing") as tell:
        count = _changing(lambda state: store(state, entries, tell))
    _say({"imported": count}, json, f"Imported {count} entries.")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}.") from error


def _changing(use: Callable[[RedisState], Coroutine[Any, Any, T]]) -> T:
    """:func:`_with_state`; the Steps of the project that hear of changes are started."""
    from motia_celery.run.state import project_teller

    return _with_state(use, project_teller())


def _with_state(
    use: Callable[[RedisState], Coroutine[Any, Any, T]], teller: Teller | None = None
) -> T:
    from motia_celery.run.state import open_state

    async def run() -> T:
        async with open_state(teller) as state:
            return await use(state)

    return asyncio.run(run())


def _parsed(text: str, where: str) -> Any:
    import orjson

    from motia_celery.errors import StateValueError

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        fix = "Quote text twice, as in '\"hello\"', or say --text."
        raise StateValueError(f"the value is not JSON ({error}).", where, fix) from error


def _require(is_there: bool, group: str, key: str) -> None:
    if not is_there:
        from motia_celery.cli.terminal import err

        err.print(f"There is no {key} in {group}.", style="bold red", markup=False)
        raise typer.Exit(1)


def _print(value: Any, json: bool) -> None:
    import orjson

    pretty = 0 if json else orjson.OPT_INDENT_2
    print(orjson.dumps(value, option=pretty).decode())


def _say(value: Any, json: bool, sentence: str) -> None:
    if json:
        _print(value, json)
    else:
        print(sentence)


def _line(value: Any) -> str:
    import orjson

    return orjson.dumps(value).decode()
