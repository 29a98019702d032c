"""What holds for every command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from motia_celery.cli import app

ROOT = Path(__file__).parents[3]
GROUP = typer.main.get_command(app)

#: Commands that only read, and what each needs beside its name.
READING = [
    *("plan", "check", "doctor", "runs", "run", "trace", "logs", "pause", "version"),
    *("dlq list", "dlq show", "state get", "state list"),
]


def command(path: str) -> object:
    found = GROUP
    for name in path.split():
        found = found.commands[name]  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("script", ["reference", "compatibility"])
def test_what_is_made_of_the_code_is_up_to_date(script: str) -> None:
    done = subprocess.run(
        [sys.executable, f"bin/{script}.py", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", READING)
def test_what_reads_gives_json(path: str) -> None:
    options = {name for param in command(path).params for name in param.opts}  # type: ignore[attr-defined]
    assert "--json" in options


def test_every_command_and_option_says_what_it_is() -> None:
    def walk(group: object) -> None:
        for name, found in getattr(group, "commands", {}).items():
            assert found.help, name
            for param in getattr(found, "params", ()):
                assert param.help, f"{name} {param.name}"
            walk(found)

    walk(GROUP)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_the_commands(shell: str) -> None:
    """What the shell asks for when TAB is pressed after `motia-celery dl`."""
    words = {
        "COMP_WORDS": "motia-celery dl",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "motia-celery dl",
    }
    done = subprocess.run(
        [str(Path(sys.executable).parent / "motia-celery")],
        env={
            **os.environ,
            **words,
            "PYTHONPATH": str(ROOT),
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "_MOTIA_CELERY_COMPLETE": f"complete_{shell}",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "dlq" in done.stdout, done.stderr
    assert "doctor" not in done.stdout


@pytest.mark.parametrize("arguments", [("check",), ("doctor",)])
def test_no_color_takes_the_colours_away(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "bad_step.py").write_text("config = {}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "MOTIA_REDIS_URL": ""}
    colours = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])[;m]")

    def said(**more: str) -> str:
        line = [sys.executable, "-m", "motia_celery", *arguments]
        done = subprocess.run(
            line, cwd=tmp_path, env={**environment, **more}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    assert colours.search(said())
    assert not colours.search(said(NO_COLOR="1"))
