"""The languages of Steps, and who calls their handlers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from motia_celery.model.step import Language
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.remotehost import RemoteHost
from motia_celery.runtime.ruby import RubyHost

#: By the ending of a file's name, without the dot.
LANGUAGES: Mapping[str, Language] = {
    "py": "python",
    "ts": "typescript",
    "js": "javascript",
    "rb": "ruby",
}

#: Every kind of host but Python's; a language has one of them.
REMOTE_HOSTS: tuple[type[RemoteHost], ...] = (NodeHost, RubyHost)


def remote_host(language: Language, root: Path) -> RemoteHost:
    """A host that calls handlers of the language, which is not Python."""
    (kind,) = (kind for kind in REMOTE_HOSTS if language in kind.languages)
    return kind(root)
