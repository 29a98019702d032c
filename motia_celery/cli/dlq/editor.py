"""A person's editor, for one text."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from motia_celery.errors import DeadLetterError


def edited(text: str, where: str) -> str:
    """The text as it was saved in ``$VISUAL``, else ``$EDITOR``, else ``vi``.

    Raises:
        DeadLetterError: the editor could not be started, failed, or nothing was changed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="motia-") as folder:
        file = Path(folder) / "payload.json"
        file.write_text(text, encoding="utf-8")
        try:
            ended = subprocess.run([*shlex.split(editor), str(file)]).returncode
        except (OSError, ValueError) as error:
            raise _unedited(f"the editor {editor!r} can not be started ({error})", where) from error
        if ended:
            raise _unedited(f"the editor {editor!r} failed with exit code {ended}", where)
        saved = file.read_text(encoding="utf-8", errors="replace")
    if saved == text:
        raise _unedited("the payload was not changed", where)
    return saved


def _unedited(what: str, where: str) -> DeadLetterError:
    return DeadLetterError(
        f"{what}, so nothing was replayed.",
        where,
        "Set EDITOR, change the payload and save it; or leave out --edit.",
    )
