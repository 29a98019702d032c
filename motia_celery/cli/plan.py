"""Show what the project compiles to: routes, queues, schedules, flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from motia_celery.model.step import Stream
    from motia_celery.plan import Plan


def run(
    json: Annotated[bool, typer.Option("--json", help="Print the Plan as JSON.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid graph.")] = False,
) -> None:
    """Prints the Plan as tables, data, or a graph."""
    from motia_celery.cli.terminal import show_emptiness
    from motia_celery.plan.describe import describe
    from motia_celery.plan.describe import mermaid as graph
    from motia_celery.run.app import App
    from motia_celery.run.environment import read_environment

    plan = App(read_environment()).plan
    show_emptiness(plan)
    if json:
        from json import dumps

        print(dumps(describe(plan), indent=2))
    elif mermaid:
        print(graph(plan.steps), end="")
    else:
        _print_tables(plan)


def _print_tables(plan: Plan) -> None:
    from motia_celery.cli.terminal import out, show_problems

    for table in (_steps(plan), _routes(plan), _queues(plan), _schedules(plan), _streams(plan)):
        if table.row_count:
            out.print(table)
    show_problems(plan.problems, out)


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _steps(plan: Plan) -> Table:
    table = _table("Steps", "Step", "Triggers", "Emits", "Flows", "File")
    for step in plan.steps:
        triggers = [
            *(f"{t.method} {t.path}" for t in step.http),
            *step.topics,
            *(t.expression for t in step.crons),
            *(trigger.told for _, trigger in step.changes),
        ]
        emits = ", ".join(emit.topic for emit in step.emits)
        table.add_row(step.name, "\n".join(triggers), emits, ", ".join(step.flows), step.file)
    return table


def _routes(plan: Plan) -> Table:
    table = _table("Routes", "Method", "Path", "Step")
    for route in plan.routes:
        table.add_row(route.trigger.method, route.trigger.path, route.step.name)
    return table


def _queues(plan: Plan) -> Table:
    table = _table("Queues", "Queue", "Topics", "Type", "Attempts")
    for queue in plan.topology.queues:
        step = plan.step(queue.step)
        attempts = str(step.retry.max_attempts) if step else ""
        kind = f"fifo, {queue.partitions} partitions" if queue.partitions else "standard"
        table.add_row(queue.name, ", ".join(queue.topics) or "(none)", kind, attempts)
    return table


def _schedules(plan: Plan) -> Table:
    from datetime import UTC, datetime

    from motia_celery.model.cron import Cron

    table = _table("Schedules", "Step", "Cron", "Zone", "Next")
    now = datetime.now(UTC)
    for entry in plan.schedules:
        following = Cron(entry.expression, entry.timezone).next_after(now)
        table.add_row(
            entry.step, entry.expression, entry.timezone, f"{following:%Y-%m-%d %H:%M:%S %Z}"
        )
    return table


def _access(stream: Stream) -> str:
    rules = ["canAccess"] if stream.has_access_rule else []
    return ", ".join([*rules, *(hook for hook in stream.hooks if hook == "onJoin")]) or "open"


def _streams(plan: Plan) -> Table:
    table = _table("Streams", "Stream", "Access", "File")
    for stream in plan.streams:
        table.add_row(stream.name, _access(stream), stream.file)
    return table
