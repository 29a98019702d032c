"""The commands for dead letters, as far as no broker is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner

from motia_celery.cli import app
from motia_celery.cli.dlq.editor import edited
from motia_celery.cli.dlq.letters import (
    age,
    counted,
    letter_text,
    letters_table,
    payload,
    printable,
)
from motia_celery.cli.dlq.selection import parse_age
from motia_celery.errors import DeadLetterError
from motia_celery.model.dead_letter import DeadLetter
from motia_celery.model.run import RunError


def letter(body=b"{}", **fields):
    return DeadLetter(
        **{
            "id": "0123456789",
            "reason": "failed",
            "step": "pay",
            "queue": "app.q.pay",
            "topic": "paid",
            "error": RunError("ValueError", "bad"),
            "attempts": 1,
            "died_at": None,
            "event_id": "e",
            "trace_id": "t",
            "body": body,
            **fields,
        }
    )


def run(*arguments):
    return CliRunner().invoke(app, ["dlq", *arguments], env={"COLUMNS": "200"})


@pytest.mark.parametrize("command", ["replay", "drop"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name ids"),
        (["--all", "--step", "pay"], "--all is for all of them"),
        (["--all", "an-id"], "--all is for all of them"),
        (["--older-than", "soon"], "is no age"),
        (["--reason", "bad luck"], "one of: failed"),
    ],
    ids=str,
)
def test_letters_must_be_chosen(command, arguments, said):
    """Nothing is done to all of them by leaving something out."""
    done = run(command, *arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_drop_without_a_terminal_needs_yes():
    done = run("drop", "--all")
    assert done.exit_code == 2
    assert "--yes" in done.output


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("1d12h", 129_600), ("1w", 604_800)],
)
def test_an_age_has_units(text, seconds):
    assert parse_age(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-2h", "2y", "2hh", "1.5h", "9" * 30 + "d"])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(typer.BadParameter):
        parse_age(text)


def test_an_age_is_shown_in_one_unit():
    now = datetime.now(UTC)
    shown = [age(now - timedelta(seconds=s)) for s in (0, 59, 61, 7300, 90_000, 2_000_000)]
    assert shown == ["0s", "59s", "1m", "2h", "1d", "3w"]
    assert age(now + timedelta(hours=1)) == "0s"
    assert age(None) == ""


def test_numbers_are_words():
    assert [counted(n) for n in (0, 1, 1234)] == [
        "0 dead letters",
        "1 dead letter",
        "1,234 dead letters",
    ]


def test_escape_codes_are_written_out():
    assert printable("a\tb\nä\x1b[2J\x07\x9b\u202e\r") == "a\tb\nä\\x1b[2J\\x07\\x9b\\u202e\\r"


def test_a_payload_is_indented_and_exact():
    """Integers of any size stay what they are."""
    assert payload(letter(b'{"n":123456789012345678901,"a":[]}')) == (
        '{\n  "n": 123456789012345678901,\n  "a": []\n}'
    )


def test_a_body_that_is_no_json_is_shown_as_far_as_it_goes():
    assert payload(letter(b"\xff\x00oh no")) == "\\xff\\x00oh no"
    shown = payload(letter(b"x" * 5_000))
    assert shown.startswith("x" * 4_000 + "\n… and 1,000 more bytes")


def test_markup_in_a_letter_is_no_markup():
    evil = letter(step="[red]x[/red]", error=RunError("[link=http://x]E", "[/]"))
    from rich.console import Console

    console = Console(width=150, no_color=True)
    with console.capture() as table:
        console.print(letters_table((evil,)))
    assert "[red]x[/red]" in table.get()
    assert "[link=http://x]E: [/]" in table.get()
    with console.capture() as text:
        console.print(letter_text(evil))
    assert "[link=http://x]E: [/]" in text.get()


@pytest.mark.parametrize("editor", ["", "'unclosed"])
def test_an_editor_that_can_not_be_started(monkeypatch, editor):
    monkeypatch.setenv("EDITOR", editor or "/no/such/editor")
    monkeypatch.delenv("VISUAL", raising=False)
    with pytest.raises(DeadLetterError, match="can not be started"):
        edited("{}", "id")


def test_visual_comes_before_editor(monkeypatch, tmp_path):
    script = tmp_path / "with space.sh"
    script.write_text('#!/bin/sh\nprintf \'%s\' "$1" > "$2"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", f"'{script}' visual")
    monkeypatch.setenv("EDITOR", "false")
    assert edited("{}", "id") == "visual"
