"""Emit an event into the app, as a Step would."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def run(
    topic: Annotated[str | None, typer.Argument(help="The topic, such as order.created.")] = None,
    data: Annotated[str | None, typer.Argument(help="The data as JSON.")] = None,
    named_topic: Annotated[str | None, typer.Option("--topic", help="The topic.")] = None,
    message: Annotated[str | None, typer.Option("--message", help="The data as JSON.")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", help="Motia's; the event goes to the broker in any case."),
    ] = None,
) -> None:
    """Publishes the event, and waits until the broker has it."""
    import asyncio

    from motia_celery.cli.terminal import out
    from motia_celery.run.emitting import emit

    given = [word for word in (named_topic, topic, data, message) if word is not None]
    name, text = (*given, None, None)[:2]
    if not name:
        raise typer.BadParameter("An event needs a topic: motia-celery emit TOPIC DATA.")
    asyncio.run(emit(name, _parsed(text)))
    out.print(f"Emitted {name}.", soft_wrap=True, markup=False)


def _parsed(text: str | None) -> Any:
    from json import JSONDecodeError, loads

    try:
        return None if text is None else loads(text)
    except JSONDecodeError as error:
        raise typer.BadParameter(
            f"The data is no JSON ({error}). Text is '\"in quotes\"'."
        ) from error
