"""Print the version."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer


def run(
    json: Annotated[
        bool, typer.Option("--json", help="Print it as JSON, with what it runs on.")
    ] = False,
) -> None:
    """Prints the installed version."""
    if not json:
        print(version("motia-celery"))
        return
    import platform
    from json import dumps

    packages = ("motia-celery", "celery", "kombu", "redis", "fastapi")
    print(dumps({"python": platform.python_version(), **{n: version(n) for n in packages}}))
