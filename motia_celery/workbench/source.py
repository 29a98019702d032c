"""The text of a Step's file, and the line of its handler."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from pathlib import Path

from motia_celery.errors import NotFoundError
from motia_celery.model.step import Step
from motia_celery.workbench.shapes.app import Source

#: A longer file is cut.
LIMIT_BYTES = 512 * 1024

_HANDLER = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?:default[ \t]+)?"
    r"(?:(?:async[ \t]+)?function[ \t]*\*?[ \t]*handler\b|(?:const|let|var)[ \t]+handler\b"
    r"|(?:module\.)?exports\.handler[ \t]*=)",
    re.MULTILINE,
)
_RUBY_HANDLER = re.compile(r"^[ \t]*(?:def[ \t]+(?:self\.)?handler\b|handler[ \t]*=)", re.MULTILINE)
_PYTHON_HANDLER = re.compile(r"^(?:(?:async +)?def +handler\b|handler *[:=])", re.MULTILINE)
_HANDLERS = {"python": _PYTHON_HANDLER, "ruby": _RUBY_HANDLER}


def read_source(root: Path, step: Step) -> Source:
    """The text as it is now.

    Raises:
        NotFoundError: the file is gone.
    """
    try:
        with (root / step.file).open("rb") as file:
            read = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise NotFoundError(
            f"can not be read ({error.strerror}).", step.file, "Has it been moved or deleted?"
        ) from error
    text = read[:LIMIT_BYTES].decode("utf-8", "replace")
    return Source(
        file=step.file,
        language=step.language,
        text=text,
        line=handler_line(text, step.language),
        truncated=len(read) > LIMIT_BYTES,
    )


def handler_line(text: str, language: str) -> int | None:
    """The line on which the handler begins, or None where it is not found."""
    if language == "python":
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return _python_line(text)
    found = _HANDLERS.get(language, _HANDLER).search(text)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _python_line(text: str) -> int | None:
    for statement in ast.parse(text).body:
        if "handler" in _defined(statement):
            return statement.lineno
    return None


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement gives something to."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []
