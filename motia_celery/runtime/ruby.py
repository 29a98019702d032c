"""The Ruby host: Ruby Steps, in one Ruby process beside this one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from motia_celery.errors import HostMissingError
from motia_celery.observe.metrics import RUBY_RESTARTS
from motia_celery.runtime.remotehost import RemoteHost, version_of

OLDEST_RUBY = (2, 7)
_PROGRAM = Path(__file__).parent / "ruby" / "host.rb"


@cache
def find_ruby() -> str | None:
    """The program that ``RUBY_BIN`` names, else the ``ruby`` on the PATH; None if there is none."""
    program = os.environ.get("RUBY_BIN") or shutil.which("ruby")
    return program if program and version_of(program) >= OLDEST_RUBY else None


def ruby_missing() -> HostMissingError:
    """Why Ruby Steps can not run, with the line that installs Ruby."""
    oldest = ".".join(map(str, OLDEST_RUBY))
    return HostMissingError(
        f"Ruby {oldest} or newer is needed for this file, and was not found",
        "",
        "Type: apt-get install -y ruby (on macOS: brew install ruby); or set RUBY_BIN. "
        "The other Steps run.",
    )


class RubyHost(RemoteHost):
    """The Ruby Steps of one process."""

    languages = ("ruby",)
    restarts = RUBY_RESTARTS

    def arguments(self) -> Sequence[str]:
        """Ruby and the host's file."""
        ruby = find_ruby()
        if ruby is None:
            raise ruby_missing()
        return [ruby, "-EUTF-8", str(_PROGRAM)]  # whatever locale an image has
