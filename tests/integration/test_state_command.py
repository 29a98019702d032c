"""``motia-celery state``, on a real Valkey or Redis."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from motia_celery.cli import app
from motia_celery.errors import FrameworkError, SettingsError, StateValueError
from motia_celery.run.state import open_state
from motia_celery.stores.embedded import EmbeddedServer, data_directory, find_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


def run(*arguments: str, input: str | None = None) -> Result:
    """The command, whose framework errors are raised as `main` gets them."""
    result = CliRunner().invoke(app, ["state", *arguments], input=input)
    if isinstance(result.exception, FrameworkError):
        raise result.exception
    return result


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that the commands are typed in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def on_redis(redis_url: str, name_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is set."""
    monkeypatch.setenv("MOTIA_REDIS_URL", redis_url)
    monkeypatch.setenv("MOTIA_PREFIX", name_prefix)


def in_state(use: Callable[[Any], Any]) -> Any:
    """What the app's own state gives."""

    async def ask() -> Any:
        async with open_state() as state:
            return await use(state)

    return asyncio.run(ask())


@pytest.mark.usefixtures("on_redis")
class TestCommands:
    def test_what_is_set_is_got_by_the_app_and_the_command(self) -> None:
        assert run("set", "orders", "1", '{"n": [1, null]}').stdout == "Set orders 1.\n"
        assert in_state(lambda state: state.get("orders", "1")) == {"n": [1, None]}
        assert json.loads(run("get", "orders", "1").stdout) == {"n": [1, None]}
        assert run("get", "orders", "1", "--json").stdout == '{"n":[1,null]}\n'

    def test_text_has_an_option_of_its_own_and_standard_input_is_read(self) -> None:
        run("set", "g", "text", "hello", "--text")
        run("set", "g", "read", "-", input="[1]")
        assert run("list", "g", "--json").stdout == '{"read":[1],"text":"hello"}\n'

    def test_a_value_that_is_no_json_says_how_to_write_it(self) -> None:
        with pytest.raises(StateValueError, match=r"not JSON.*--text"):
            run("set", "g", "k", "hello")
        assert in_state(lambda state: state.groups()) == []

    def test_a_life_may_be_given(self) -> None:
        assert run("set", "g", "k", "1", "--ttl", "1000", "--json").stdout == "1\n"
        assert 900 < in_state(lambda state: state.lives("g"))["k"] <= 1000
        with pytest.raises(StateValueError, match="no life"):
            run("set", "g", "k", "1", "--ttl", "0")

    def test_a_missing_key_is_exit_code_1(self) -> None:
        for command in ("get", "delete"):
            missing = run(command, "g", "k")
            assert (missing.exit_code, missing.stdout) == (1, "")
            assert "There is no k in g." in missing.stderr

    def test_groups_and_their_entries_are_listed(self) -> None:
        run("set", "b", "2", '{"n":1}')
        run("set", "b", "1", "5")
        run("set", "a", "1", "true")
        assert run("list").stdout == "a\nb\n"
        assert run("list", "--json").stdout == '["a","b"]\n'
        assert run("list", "b").stdout == '1\t5\n2\t{"n":1}\n'
        assert run("list", "empty").stdout == ""

    def test_a_key_is_deleted_and_a_group_only_if_asked_for(self) -> None:
        for key in "123":
            run("set", "g", key, key)
        assert run("delete", "g", "1", "--json").stdout == "1\n"
        for refused in (run("delete", "g"), run("delete", "g", "2", "--all")):
            assert refused.exit_code == 2
        assert run("list", "g", "--json").stdout == '{"2":2,"3":3}\n'
        assert run("delete", "g", "--all").exit_code == 0
        assert run("list", "--json").stdout == "[]\n"

    def test_what_was_exported_can_be_imported(self, folder: Path) -> None:
        """Values, and what is left of their lives."""
        run("set", "a", "1", '{"é": [1.5, null]}')
        run("set", "b", "x\ny", '"text"', "--ttl", "1000")
        run("export", "--output", "all.jsonl")
        only = run("export", "-g", "a").stdout
        assert json.loads(only) == {"group": "a", "key": "1", "value": {"é": [1.5, None]}}
        run("delete", "a", "--all")
        run("delete", "b", "--all")
        run("set", "a", "kept", "1")
        assert run("import", str(folder / "all.jsonl")).stdout == "Imported 2 entries.\n"
        assert run("list", "a", "--json").stdout == '{"1":{"é":[1.5,null]},"kept":1}\n'
        assert run("get", "b", "x\ny", "--json").stdout == '"text"\n'
        assert 900 < in_state(lambda state: state.lives("b"))["x\ny"] <= 1000
        assert run("import", "-", "--json", input=only).stdout == '{"imported":1}\n'

    @pytest.mark.parametrize(
        "line", ["{", "[]", "{}", '{"group":1,"key":"k","value":1}', '{"x":1}']
    )
    def test_a_bad_line_is_named_and_nothing_is_imported(self, folder: Path, line: str) -> None:
        good = '{"group":"g","key":"k","value":1}'
        (folder / "in.jsonl").write_text(f"{good}\n\n{line}\n")
        with pytest.raises(StateValueError, match=r"in\.jsonl:3: is no entry"):
            run("import", "in.jsonl")
        assert in_state(lambda state: state.groups()) == []

    def test_a_file_that_is_not_there_is_named(self) -> None:
        missing = run("import", "missing.jsonl")
        assert missing.exit_code == 2
        assert "missing.jsonl" in missing.stderr

    def test_a_mistake_is_one_clear_line_and_exit_code_1(self) -> None:
        command = [sys.executable, "-m", "motia_celery", "state", "set", "g", "k", "hello"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "the value is not JSON" in done.stderr
        assert "Traceback" not in done.stderr


class TestEmbedded:
    """Where no Redis is set, the commands use the data of `dev`."""

    def test_the_server_of_a_running_dev_is_used(self, folder: Path) -> None:
        with EmbeddedServer(data_directory(folder)) as server:
            run("set", "g", "k", "1")
            assert server.running
            assert run("get", "g", "k").stdout == "1\n"

    def test_one_is_started_where_dev_does_not_run(self, folder: Path) -> None:
        with EmbeddedServer(data_directory(folder)):
            run("set", "g", "k", "1")
        assert run("get", "g", "k").stdout == "1\n"
        with EmbeddedServer(data_directory(folder)) as server:
            assert server.running

    def test_where_dev_has_never_run_the_fix_is_told(self, folder: Path) -> None:
        assert find_server()
        with pytest.raises(SettingsError, match="Set REDIS_URL"):
            run("list")
        assert [*folder.iterdir()] == []
