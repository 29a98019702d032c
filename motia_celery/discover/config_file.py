"""The project's config file: of all that Motia reads there, who may follow streams."""

from __future__ import annotations

from collections.abc import Iterator

from motia_celery.model.problem import Problem
from motia_celery.model.step import StreamAuth
from motia_celery.runtime.remote import RemoteHandler
from motia_celery.runtime.source import Definition, SourceFile


def read_stream_auth(source: SourceFile, definition: Definition | None) -> StreamAuth | None:
    """The file's ``streamAuth``; None where it has none. Without a definition it was not loaded."""
    if definition is None:
        text = source.path.read_text(encoding="utf-8", errors="replace")
        # A file that only speaks of other things, such as plugins, closes nothing.
        is_meant, is_usable = "streamAuth" in text or "stream_auth" in text, False
    else:
        rule = definition.authenticate
        is_meant, is_usable = rule is not None, isinstance(rule, RemoteHandler) or callable(rule)
    if not is_meant:
        return None
    return StreamAuth(file=source.file, language=source.language, is_usable=is_usable)


def config_problems(
    source: SourceFile, others: tuple[SourceFile, ...], auth: StreamAuth | None, is_loaded: bool
) -> Iterator[Problem]:
    """What is wrong with the file, beside why it can not be loaded."""
    if is_loaded and auth is not None and not auth.is_usable:
        yield Problem(
            file=source.file,
            what="streamAuth has no function authenticate",
            fix="Write authenticate(request); no client may follow a stream until then.",
            field="streamAuth",
        )
    for other in others:
        yield Problem(
            file=other.file,
            what=f"is not read, because there is {source.file}",
            fix="Keep one config file.",
            severity="warning",
        )
