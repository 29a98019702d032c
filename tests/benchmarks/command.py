"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from motia_celery.errors import ServerMissingError
from tests.benchmarks import machine, pages
from tests.benchmarks.arena import ROOT, Arena
from tests.benchmarks.environments import InstallError, Peers, motia_folder, peers_python
from tests.benchmarks.results import Report, Result
from tests.benchmarks.runner import run
from tests.benchmarks.scale import FULL, MEDIUM, SHORT, Scale
from tests.benchmarks.tables import markdown
from tests.benchmarks.workloads import WORKLOADS
from tests.benchmarks.workloads.workload import Workload

OUTPUT = ROOT / "build" / "benchmarks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the arguments say; 1 if a contender is broken, whatever the times are."""
    options = _parser().parse_args(arguments)
    if options.list:
        for workload in WORKLOADS:
            print(f"{workload.name:14} {workload.title}")
        return 0
    if options.write_docs:
        pages.write_docs(Report.merged([_read(file) for file in options.write_docs]))
        return 0
    try:
        return _measure(options)
    except (InstallError, ServerMissingError) as error:
        raise SystemExit(f"the benchmarks can not run: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measures motia-celery beside Celery, Taskiq, Dramatiq, FastStream, FastAPI "
        "and Motia, in turns, on servers of its own.",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="only whether all of it works")
    size.add_argument("--medium", action="store_true", help="a fifth of everything, three rounds")
    parser.add_argument("--only", help="these workloads, comma-separated; see --list")
    parser.add_argument("--rounds", type=int, help="how often everything is measured")
    parser.add_argument("--factor", type=float, help="multiplies the counts of a full run")
    parser.add_argument("--without-motia", action="store_true", help="leave out Motia, npm too")
    parser.add_argument("--growth", action="store_true", help="only the workloads that grow")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the folder of the report")
    parser.add_argument("--list", action="store_true", help="the workloads")
    parser.add_argument(
        "--write-docs",
        type=Path,
        nargs="+",
        metavar="JSON",
        help="write the figures of these reports into docs/benchmarks.md, and measure nothing; of "
        "a workload in two of them, the later one's",
    )
    return parser


def _scale(options: argparse.Namespace) -> Scale:
    scale = SHORT if options.short else MEDIUM if options.medium else FULL
    return dataclasses.replace(
        scale,
        rounds=options.rounds or scale.rounds,
        factor=options.factor or scale.factor,
    )


def _chosen(options: argparse.Namespace) -> list[Workload]:
    names = options.only.split(",") if options.only else None
    known = {workload.name for workload in WORKLOADS}
    for name in names or ():
        if name not in known:
            raise SystemExit(f"there is no workload {name!r}; --list names them")
    return [
        workload
        for workload in WORKLOADS
        if (names is None or workload.name in names) and (not options.growth or workload.grows)
    ]


def _measure(options: argparse.Namespace) -> int:
    began = time.monotonic()
    scale = _scale(options)
    peers = _peers(with_motia=not (options.without_motia or scale.short))
    with Arena.opened(scale, peers) as arena:
        report = Report(
            datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            machine.describe(arena),
            machine.versions(arena),
            dataclasses.asdict(scale),
            [],
            [] if peers.motia else [f"Motia 0.17: {peers.without_motia}"],
        )
        for workload in _chosen(options):
            result = run(workload, arena, _say)
            if result.contenders:
                report.results.append(result)
                _write(report, options.output)
                _show(result)
    _say(f"{(time.monotonic() - began) / 60:.1f} minutes; the report is in {options.output}")
    return _outcome(report)


def _peers(with_motia: bool) -> Peers:
    _say("installing what is missing of the peers")
    python = peers_python()
    if not with_motia:
        return Peers(python)
    try:
        return Peers(python, motia_folder(), "")
    except InstallError as error:
        _say(f"without Motia: {error}")
        return Peers(python, None, str(error)[:300])


def _outcome(report: Report) -> int:
    for line in report.losses():
        print(f"behind: {line}")
    for title, found in report.broken:
        print(f"BROKEN: {title}, {found.name}: {found.error}", file=sys.stderr)
    return 1 if report.broken else 0


def _show(result: Result) -> None:
    print(f"\n{pages.plain_table(result)}\n", flush=True)


def _say(text: str) -> None:
    print(text, flush=True)


def _read(file: Path) -> Report:
    return Report.from_json(json.loads(file.read_text()))


def _write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report.to_json(), indent=1) + "\n")
    (folder / "report.md").write_text(markdown(report))
    (folder / "report.svg").write_text(pages.chart(report))
