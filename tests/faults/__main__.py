"""``bin/faults``: plays scenarios on servers of its own, and prints what was lost.

The exit code is 1 where anything was lost on RabbitMQ, a repeat had another run id, or a control
run lost nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from faults import broker_faults, control, limits, process_faults
from faults.scenario import SCENARIOS, Scenario
from faults.stage import Servers, Transport
from faults.tally import Tally
from servers import RabbitNode, Room

__all__ = ["broker_faults", "control", "limits", "process_faults"]  # they register scenarios

_HEAD = ("scenario", "broker", "sent", "executed", "lost", "repeated", "dead", "refused", "s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays what the arguments name, prints a line for each and the table of all."""
    options = _parser().parse_args(arguments)
    unknown = [name for name in options.scenarios if name not in SCENARIOS]
    if unknown:
        print(f"faults: no scenario {', '.join(unknown)}; --list shows all", file=sys.stderr)
        return 2
    if options.list:
        for found in SCENARIOS.values():
            print(f"{found.name:20} {'/'.join(found.transports):15} {found.what}")
        return 0
    chosen = [SCENARIOS[name] for name in options.scenarios or SCENARIOS]
    rows, faults = [], []
    # What ends this process ends the servers and the app too, in the order of their blocks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with _room() as room:
        for played, transport in _order(chosen, options.broker):
            row, fault = _play(room, played, transport, options)
            rows.append(row)
            faults += [f"{played.name} on {transport}: {fault}"] if fault else []
    _print_table(rows)
    for fault in faults:
        print(f"faults: {fault}")
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/faults", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help="all, if none is named")
    parser.add_argument("--long", action="store_true", help="the long form of each")
    parser.add_argument("--broker", choices=("rabbitmq", "redis"), help="on this one only")
    parser.add_argument("--logs", type=Path, help="keep what the processes said in this folder")
    parser.add_argument("--list", action="store_true", help="show the scenarios, and end")
    return parser


@contextlib.contextmanager
def _room() -> Iterator[Room]:
    room = Room.open()
    try:
        yield room
    finally:
        room.close()


def _order(
    chosen: Sequence[Scenario], only: Transport | None
) -> Iterator[tuple[Scenario, Transport]]:
    for transport in ("rabbitmq", "redis"):
        if only in (None, transport):
            yield from ((one, transport) for one in chosen if transport in one.transports)


def _play(
    room: Room, played: Scenario, transport: Transport, options: argparse.Namespace
) -> tuple[tuple[str, ...], str]:
    print(f"{played.name}: {played.what}", flush=True)
    node = RabbitNode(room.folder("rabbitmq")) if transport == "rabbitmq" else None
    folder = room.folder("stage")
    try:
        if node:
            node.start()
            print(f"  RabbitMQ {node.api('GET', '/overview')['rabbitmq_version']}", flush=True)
        with room.redis() as redis:
            servers = Servers(rabbitmq=node, redis=redis)
            tally = played.run(folder, servers, long=options.long)
    except Exception as error:
        traceback.print_exc()
        return (played.name, transport, *("-" * 7)), f"{type(error).__name__}: {error}"
    finally:
        if options.logs:
            kept = options.logs / f"{played.name}-{transport}"
            shutil.copytree(folder / "app", kept, dirs_exist_ok=True)
        if node:
            node.remove()
    print(f"  {tally}", f"missing: {tally.missing}" if tally.lost else "", flush=True)
    return _row(played, transport, tally), played.verdict(tally, transport)


def _row(played: Scenario, transport: Transport, tally: Tally) -> tuple[str, ...]:
    numbers = (tally.sent, tally.executed, tally.lost, tally.repeated, tally.dead, tally.refused)
    return (played.name, transport, *map(str, numbers), f"{tally.seconds:.0f}")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    table = [_HEAD, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for row in table:
        cells = zip(row, widths, strict=True)
        print(
            "  ".join(
                cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(cells)
            )
        )


if __name__ == "__main__":
    sys.exit(main())
