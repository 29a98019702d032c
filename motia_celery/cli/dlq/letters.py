"""How dead letters are shown to a person, and opened."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from motia_celery.broker.dead_letters import DeadLetters
    from motia_celery.model.dead_letter import DeadLetter

#: Characters of a body that is not JSON; `--json` gives all of it.
_RAW_LIMIT = 4_000
_AGES = ((7 * 86_400, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def open_dead_letters(*, to_replay: bool = False) -> DeadLetters:
    """The dead letters of the project in this folder."""
    from motia_celery.broker.dead_letters import DeadLetters
    from motia_celery.run.environment import read_running

    settings = read_running()
    if not to_replay or settings.uses_rabbitmq:
        return DeadLetters(settings)  # without the Plan: a broken project can be looked into too
    from motia_celery.run.app import App

    app = App(settings)
    app.close()
    return DeadLetters(settings, app.plan.topology.queues)


def counted(number: int) -> str:
    """``1 dead letter``, ``2,000 dead letters``."""
    return f"{number:,} dead letter{'' if number == 1 else 's'}"


def as_line(letter: DeadLetter) -> str:
    """The letter as JSON in one line."""
    return json.dumps(letter.as_dict())


def letters_table(letters: tuple[DeadLetter, ...]) -> Table:
    """One row for each letter, cut to the terminal's width."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, expand=False)
    table.add_column("Id", no_wrap=True, min_width=8)
    table.add_column("Step", overflow="ellipsis", no_wrap=True, min_width=8)
    table.add_column("Topic", overflow="ellipsis", no_wrap=True)
    table.add_column("Why", overflow="ellipsis", no_wrap=True, min_width=6)
    table.add_column("Error", overflow="ellipsis", no_wrap=True, min_width=12)
    table.add_column("Tries", justify="right", no_wrap=True, min_width=2)
    table.add_column("Age", justify="right", no_wrap=True, min_width=3)
    for letter in letters:
        table.add_row(
            _short(letter.id),
            _short(letter.step, None),
            _short(letter.topic, None),
            letter.reason,
            _short(str(letter.error), None),
            str(letter.attempts),
            age(letter.died_at),
        )
    return table


def letter_text(letter: DeadLetter) -> Text:
    """Everything about one letter."""
    from rich.text import Text

    fields = {
        "Id": letter.id,
        "Why": letter.reason,
        "Step": letter.step,
        "Queue": letter.queue,
        "Topic": letter.topic,
        "Error": str(letter.error),
        "Where": letter.error.where,
        "Attempts": str(letter.attempts),
        "Died": _moment(letter.died_at),
        "Event": letter.event_id,
        "Trace": letter.trace_id,
    }
    text = Text()
    for name, value in fields.items():
        if value:
            text.append(f"{name:<9} ", "bold").append(f"{printable(value)}\n")
    text.append("Payload\n", "bold").append(f"{payload(letter)}\n")
    if letter.error.traceback:
        text.append("Traceback\n", "bold").append(f"{printable(letter.error.traceback)}\n", "dim")
    return text


def payload(letter: DeadLetter) -> str:
    """The event's data as indented JSON, or a body that is none, with what can not be shown."""
    if letter.is_json:
        return printable(json.dumps(letter.data, indent=2, ensure_ascii=False))
    text = letter.body[:_RAW_LIMIT].decode(errors="backslashreplace")
    more = len(letter.body) - _RAW_LIMIT
    return printable(text) + (f"\n… and {more:,} more bytes; --json gives all." if more > 0 else "")


def printable(text: str) -> str:
    """The text with escape codes written out, which would otherwise reach the terminal."""
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def age(moment: datetime | None) -> str:
    """How long ago, in one unit: ``3h``."""
    if moment is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    return next((f"{seconds // size}{unit}" for size, unit in _AGES if seconds >= size), "0s")


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}, {age(moment)} ago" if moment else ""


def _short(text: str, limit: int | None = 8) -> str:
    from rich.markup import escape

    return escape(printable(text.replace("\n", " "))[:limit])
