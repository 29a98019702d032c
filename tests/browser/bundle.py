"""Scripts for pages, bundled by esbuild from sources that import packages of npm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from motia_celery.runtime.node import find_node

_BUILD = "require(process.argv[1]).buildSync(JSON.parse(process.argv[2]))"


def bundle_page(source: Path, packages: Path, output: Path) -> str:
    """The script, in React's development form, which complains the most."""
    options = {
        "entryPoints": [str(source)],
        "outfile": str(output),
        "nodePaths": [str(packages)],
        "bundle": True,
        "jsx": "automatic",
        "define": {"process.env.NODE_ENV": '"development"'},
        "logLevel": "warning",
    }
    command = [find_node() or "node", "-e", _BUILD, str(packages / "esbuild"), json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return output.read_text()
