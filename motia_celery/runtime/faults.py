"""Turning what a user's file or handler raised into words that lead to the line."""

from __future__ import annotations

import traceback
from pathlib import Path

from motia_celery.model.problem import Problem
from motia_celery.model.run import RunError

#: A traceback is kept for people; past this many characters only its end is.
_TRACEBACK_LIMIT = 8_000


def load_problem(error: BaseException, file: str, path: Path, root: Path) -> Problem:
    """What is wrong with a file that could not be loaded, with the line to look at."""
    if isinstance(error, SyntaxError):
        where = Path(error.filename or path)
        return Problem(
            file=_relative(where, root) or file,
            line=error.lineno,
            what=f"syntax error: {error.msg}",
            fix="Correct the line; the rest of the app runs without this file.",
        )
    return Problem(
        file=file,
        line=_line_in(error, path),
        what=f"can not be loaded: {type(error).__name__}: {error}",
        fix=_load_fix(error),
    )


def _load_fix(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return f"Install the package that provides {package!r}, or correct the import."
    if isinstance(error, KeyError) and "environ" in _source_of(error):
        return f"Set the environment variable {error.args[0]}, for example in .env."
    if isinstance(error, SystemExit):
        return "A Step file must not end the process while it is imported."
    return "Correct the file; the rest of the app runs without it."


def _source_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return "".join((frame.line or "") + frame.filename for frame in frames[-2:])


def _line_in(error: BaseException, path: Path) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None


def _relative(path: Path, root: Path) -> str | None:
    return str(path.relative_to(root)) if path.is_relative_to(root) else None


def run_error(error: BaseException, root: Path) -> RunError:
    """Why a run failed; frames of this package are left out of the traceback."""
    own = str(Path(__file__).parent.parent)
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(own)
    ]
    in_project = [f for f in frames if Path(f.filename).is_relative_to(root)]
    where = ""
    if in_project:
        where = f"{_relative(Path(in_project[-1].filename), root)}:{in_project[-1].lineno}"
    text = "".join(traceback.format_list(frames)) + "".join(traceback.format_exception_only(error))
    return RunError(
        type=type(error).__name__,
        message=_message(error),
        where=where,
        traceback=text[-_TRACEBACK_LIMIT:],
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)[:2_000]
    except Exception:  # a user's __str__ may fail too
        return "(its message can not be shown)"
