"""Show every setting with its origin, and the servers that answer; --live: how the app fares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from motia_celery.run.doctor import Report
    from motia_celery.run.vitals import Vitals

_Window = Annotated[
    float, typer.Option("--window", min=0.1, help="With --live: seconds between the two looks.")
]
_MaxWait = Annotated[
    float, typer.Option("--max-wait", min=0, help="With --live: how long a message may wait.")
]
_Letters = Annotated[
    int,
    typer.Option(
        "--max-dead-letters", min=0, help="With --live: how many may come between two calls."
    ),
]


def run(
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Look at queues, dead letters, beat and alarms too.")
    ] = False,
    window: _Window = 10,
    max_wait: _MaxWait = 300,
    max_dead_letters: _Letters = 0,
) -> None:
    """Prints the report; exit code 1 if a server does not answer or something must be changed.

    With --live it is 3 if a server does not answer.
    """
    from motia_celery.run.app import App
    from motia_celery.run.doctor import examine
    from motia_celery.run.environment import read_running
    from motia_celery.run.vitals import Bounds

    settings = read_running()
    bounds = Bounds(window_seconds=window, wait_seconds=max_wait, dead_letters=max_dead_letters)
    report = examine(settings, lambda: App(settings).plan, bounds if live else None)
    if json:
        from json import dumps

        print(dumps(report.as_dict(), indent=2))
    else:
        _print(report)
    raise typer.Exit(report.exit_code)


def _print(report: Report) -> None:
    from motia_celery.cli.terminal import out, show_problems

    if report.live is None:
        _print_settings(report)
    _print_servers(report)
    if report.live is not None:
        _print_live(report.live)
    show_problems(report.all_problems, out)
    if report.live is not None and not report.all_problems:
        out.print("Nothing is wrong.")


def _print_settings(report: Report) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from motia_celery.cli.terminal import out

    settings = Table("Setting", "Value", "From", box=box.SIMPLE_HEAD)
    for setting in report.settings:
        settings.add_row(setting.name, Text(setting.value), setting.origin)
    out.print(settings)
    table = Table("Connections, at most", "RabbitMQ", "Redis", box=box.SIMPLE_HEAD)
    for count in report.connections:
        table.add_row(count.process, str(count.rabbitmq), str(count.redis))
    out.print(table)


def _print_servers(report: Report) -> None:
    from motia_celery.cli.terminal import out

    if report.broker:
        out.print(f"Broker: {report.broker.product} {report.broker.version}".rstrip())
        for feature, present in report.broker.features.items():
            out.print(f"  {'✓' if present else '✗'} {feature}")
    if report.redis:
        facts = report.redis
        policy = facts.maxmemory_policy or "not told"
        out.print(f"Store: {facts.software} {facts.version}, maxmemory-policy {policy}")
        out.print(f"  connected clients: {facts.connected_clients} of {facts.max_clients or '?'}")


def _print_live(live: Vitals) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from motia_celery.cli.terminal import out

    table = Table("Step", "Waiting", "Oldest, at most", "Ended", "Workers", box=box.SIMPLE_HEAD)
    for queue in live.queues:
        age = "?" if queue.oldest_seconds is None else f"{queue.oldest_seconds:.0f} s"
        workers = "?" if queue.consumers is None else str(queue.consumers)
        state = "paused" if queue.paused else workers
        table.add_row(Text(queue.step), str(queue.ready), age, str(queue.done), state)
    out.print(table)
    if live.dead_letters is not None:
        out.print(f"Dead letters: {live.dead_letters}")
