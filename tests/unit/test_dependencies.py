"""What the package imports is what its dependencies bring, not what happens to be installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: Loads everything that the commands load, the transports included, which kombu imports by name,
#: while the modules named on the command line can not be imported.
PROGRAM = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
import motia_celery.cli, motia_celery.run.serve, motia_celery.run.worker, motia_celery.run.beat
import motia_celery.run.dev, motia_celery.run.release, motia_celery.run.doctor
import kombu.transport.redis, kombu.transport.pyamqp, celery.bin.worker, celery.apps.worker
"""


def _closure(name: str, extras: frozenset[str]) -> set[str]:
    """The distributions that installing ``name`` with these extras brings."""
    found: dict[str, frozenset[str]] = {}
    waiting = [(name, extras)]
    while waiting:
        current, wanted = waiting.pop()
        key = canonicalize_name(current)
        if key in found and wanted <= found[key]:
            continue
        found[key] = found.get(key, frozenset()) | wanted
        try:
            lines = requires(current) or []
        except PackageNotFoundError:
            continue
        for line in lines:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in (*wanted, "")):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return set(found)


def test_the_commands_need_only_what_is_declared() -> None:
    brought = _closure("motia-celery", frozenset({"embedded"}))
    undeclared = sorted(
        module
        for module, owners in packages_distributions().items()
        if module not in sys.stdlib_module_names
        and not any(canonicalize_name(owner) in brought for owner in owners)
    )
    assert "pytest" in undeclared
    loaded = subprocess.run(
        [sys.executable, "-c", PROGRAM, *undeclared], capture_output=True, text=True, timeout=60
    )
    assert loaded.returncode == 0, loaded.stderr


#: What only other commands need, `dev` among them, and what none of ours needs.
UNUSED = """
import sys
from motia_celery.cli import commands
commands(["web", "worker"], ())
import motia_celery.run.serve, motia_celery.run.worker
for name in sys.argv[1:]:
    assert name not in sys.modules, name
"""


def test_web_and_worker_hold_nothing_that_only_others_use() -> None:
    unused = (
        "motia_celery.workbench.api",
        "motia_celery.cli.state",
        "redbeat",
        "celery.bin.celery",
    )
    subprocess.run([sys.executable, "-c", UNUSED, *unused], check=True, timeout=120)
