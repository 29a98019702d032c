"""The Workbench's page: its types are checked, and the tests of its own code are run.

``python tests/page_checks.py``, as ``bin/test`` does; it takes a few seconds.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import npm_packages as npm

from motia_celery.runtime.node import find_node


def _node(script: Path, *arguments: str) -> int:
    """The exit code of a script in the page's folder; it says itself what is wrong."""
    node = find_node() or "node"
    return subprocess.run([node, str(script), *arguments], cwd=npm.PAGE, timeout=300).returncode


def main() -> int:
    """Runs both, and gives 1 if either fails."""
    # TypeScript 7 checks in a fifth of the time of the one that generates the page's types.
    compiler = npm.install() / "typescript" / "bin" / "tsc"
    vitest = npm.install_of_page() / "vitest" / "vitest.mjs"
    return int(any([_node(compiler, "--noEmit"), _node(vitest, "run")]))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except npm.InstallError as error:
        sys.exit(str(error))
