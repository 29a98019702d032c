"""Show every setting with its origin, and the servers that answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from motia_celery.run.doctor import Report


def run(
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prints the report; exit code 1 if a server does not answer or must be changed."""
    from motia_celery.run.doctor import examine
    from motia_celery.run.environment import read_environment

    report = examine(read_environment())
    if json:
        from dataclasses import asdict
        from json import dumps

        print(dumps(asdict(report), indent=2, default=str))
    else:
        _print(report)
    raise typer.Exit(1 if report.problems else 0)


def _print(report: Report) -> None:
    from rich import box
    from rich.table import Table

    from motia_celery.cli.terminal import out, show_problems

    table = Table("Setting", "Value", "From", box=box.SIMPLE_HEAD)
    for setting in report.settings:
        table.add_row(setting.name, setting.value, setting.origin)
    out.print(table)
    if report.broker:
        out.print(f"Broker: {report.broker.product} {report.broker.version}".rstrip())
        for feature, present in report.broker.features.items():
            out.print(f"  {'✓' if present else '✗'} {feature}")
    if report.redis:
        facts = report.redis
        policy = facts.maxmemory_policy or "not told"
        out.print(f"Store: {facts.software} {facts.version}, maxmemory-policy {policy}")
        out.print(f"  {facts.connected_clients} clients connected")
    out.print("Connections of each process:")
    for process, count in report.connections.items():
        out.print(f"  {process}: {count}")
    show_problems(report.problems, out)
