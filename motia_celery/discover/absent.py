"""Languages that a project's files are written in, and that are not installed here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from motia_celery.discover.files import find_config, find_sources
from motia_celery.errors import HostMissingError
from motia_celery.model.problem import Problem
from motia_celery.runtime.languages import REMOTE_HOSTS


def absent_languages(root: Path) -> Iterator[Problem]:
    """One problem for each program that some file needs, with the line that installs it.

    No file is executed.
    """
    sources = (*find_config(root), *find_sources(root))
    for host in REMOTE_HOSTS:
        files = [source.file for source in sources if source.language in host.languages]
        if not files:
            continue
        try:
            host(root).arguments()
        except HostMissingError as error:
            yield Problem(file=files[0], what=error.what, fix=error.fix)
