"""Show every setting with its origin, and the servers that answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from motia_celery.model.step import Step
    from motia_celery.run.doctor import Report
    from motia_celery.settings import Settings


def run(
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prints the report; exit code 1 if a server does not answer or must be changed."""
    from motia_celery.run.doctor import examine
    from motia_celery.run.environment import read_running

    settings = read_running()
    report = examine(settings, lambda: _steps(settings))
    if json:
        from json import dumps

        print(dumps(report.as_dict(), indent=2))
    else:
        _print(report)
    raise typer.Exit(1 if any(p.severity == "error" for p in report.problems) else 0)


def _steps(settings: Settings) -> tuple[Step, ...]:
    """The Steps of the project in this folder; none where it can not be read."""
    from motia_celery.errors import FrameworkError
    from motia_celery.run.app import App

    try:
        return App(settings).plan.steps
    except FrameworkError:  # `check` tells of it
        return ()


def _print(report: Report) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from motia_celery.cli.terminal import out, show_problems

    settings = Table("Setting", "Value", "From", box=box.SIMPLE_HEAD)
    for setting in report.settings:
        settings.add_row(setting.name, Text(setting.value), setting.origin)
    out.print(settings)
    if report.broker:
        out.print(f"Broker: {report.broker.product} {report.broker.version}".rstrip())
        for feature, present in report.broker.features.items():
            out.print(f"  {'✓' if present else '✗'} {feature}")
    if report.redis:
        facts = report.redis
        policy = facts.maxmemory_policy or "not told"
        out.print(f"Store: {facts.software} {facts.version}, maxmemory-policy {policy}")
        out.print(f"  connected clients: {facts.connected_clients} of {facts.max_clients or '?'}")
    table = Table("Connections, at most", "RabbitMQ", "Redis", box=box.SIMPLE_HEAD)
    for count in report.connections:
        table.add_row(count.process, str(count.rabbitmq), str(count.redis))
    out.print(table)
    show_problems(report.problems, out)
