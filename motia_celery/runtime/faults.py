"""Turning what a user's file or handler raised into words that lead to the line."""

from __future__ import annotations

import os
import re
import sys
import traceback
from pathlib import Path

from motia_celery.errors import FrameworkError, InputMismatchError
from motia_celery.model.problem import Problem
from motia_celery.model.run import RunError
from motia_celery.runtime.modules import PROJECT_PACKAGE, STEP_FOLDERS
from motia_celery.runtime.remote import RemoteError

_OWN_FOLDER = str(Path(__file__).parent.parent) + os.sep

#: A traceback is kept for people; past this many characters only its end is.
_TRACEBACK_LIMIT = 8_000

#: No further attempt makes an input fit.
_MISFIT = InputMismatchError.__name__

#: Node's words for a package that is not installed.
_MISSING_PACKAGE = re.compile(r"Cannot find (?:package|module) '((?:@[^/']+/)?[^/']+)")

#: Ruby's words for a gem or a file that is not there.
_MISSING_GEM = re.compile(r"cannot load such file -- (\S+)")

_LOAD_FIXES = {
    "LOAD_WAITS": "Do not wait for what may never come, or loop, but in the handler.",
    "LOAD_BUSY": "Look for a loop without an end outside of the handler, or in what is imported.",
    "LOAD_DIED": "A Step file must not end the process while it is imported.",
}


def load_problem(error: BaseException, file: str, path: Path, root: Path) -> Problem:
    """What is wrong with a file that could not be loaded, with the line to look at."""
    if isinstance(error, RemoteError):
        return _remote_problem(error, file)
    if isinstance(error, SyntaxError) and _is_of_project(error.filename or "", root):
        return Problem(
            file=_relative(Path(error.filename or path), root),
            line=error.lineno,
            what=f"syntax error: {error.msg}",
            fix="Correct the line; the rest of the app runs without this file.",
        )
    line = _line_in(error, path)
    if isinstance(error, FrameworkError):
        return Problem(file=file, line=line, what=error.what.rstrip("."), fix=error.fix)
    return Problem(
        file=file,
        line=line,
        what=f"can not be loaded: {type(error).__name__}: {_load_message(error)}"
        + _elsewhere(error, path, root),
        fix=_load_fix(error),
    )


def _remote_problem(error: RemoteError, file: str) -> Problem:
    elsewhere = f" (in {error.where})" if error.file and error.file != file else ""
    what = f"can not be loaded: {error.name}: {' '.join(error.message.split())}"
    if error.code in _LOAD_FIXES:
        what = f"can not be loaded: {error.message}"
    if error.code == "NO_CONFIG":
        fix = "Define config." if file.endswith(".rb") else "Export a config."
        return Problem(file=file, what=error.message.rstrip("."), fix=fix)
    if error.name == "SyntaxError":
        what = f"syntax error: {' '.join(error.message.split())}"
    return Problem(
        file=file,
        line=None if elsewhere else error.line,
        what=what + elsewhere,
        fix=_remote_fix(error),
    )


def _remote_fix(error: RemoteError) -> str:
    package = _MISSING_PACKAGE.search(error.message)
    if error.code in ("ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"):
        if package and not package[1].startswith((".", "/")):
            return f"Type: npm install {package[1]}; or correct the import."
        return "Correct the import: the project has no such file."
    if error.code in _LOAD_FIXES:
        return _LOAD_FIXES[error.code]
    if gem := _MISSING_GEM.search(error.message):
        is_file = gem[1].startswith((".", "/"))
        fix = "the project has no such file." if is_file else f"or type: gem install {gem[1]}"
        return f"Correct the require; {fix}"
    if "must not end its process" in error.message:
        return "A Step file must not end the process while it is imported."
    return "Correct the file, or set the variable that it needs in .env; the rest of the app runs."


def _load_message(error: BaseException) -> str:
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(error, pydantic.ValidationError):
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
    return " ".join(_message(error).replace(f"{PROJECT_PACKAGE}.", "").split())


def _elsewhere(error: BaseException, path: Path, root: Path) -> str:
    """Where the fault is, if it is in another file of the project."""
    place = _place(_frames(error, root), root)
    return f" (in {place})" if place and not place.startswith(_relative(path, root)) else ""


def _load_fix(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package in (PROJECT_PACKAGE, *STEP_FOLDERS):
            return "Correct the import: the project has no such file."
        return f"Install the package that provides {package!r}, or correct the import."
    if isinstance(error, KeyError) and error.args and "environ" in _source_of(error):
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


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _is_of_project(filename: str, root: Path) -> bool:
    """Whether the user wrote the file: a virtual environment may lie inside the project."""
    path = Path(filename)
    if not path.is_relative_to(root) or filename.startswith(_OWN_FOLDER):
        return False
    folders = path.relative_to(root).parts[:-1]
    return not any(part == "site-packages" or part.startswith(".") for part in folders)


def _frames(error: BaseException, root: Path) -> traceback.StackSummary:
    """The frames, from the first one that the user wrote; ours are left out."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_OWN_FOLDER, "<frozen importlib"))
    ]
    first = next((i for i, f in enumerate(frames) if _is_of_project(f.filename, root)), 0)
    return traceback.StackSummary.from_list(frames[first:])


def _place(frames: traceback.StackSummary, root: Path) -> str:
    """``file:line`` of the innermost frame in the project."""
    for frame in reversed(frames):
        if _is_of_project(frame.filename, root):
            return f"{_relative(Path(frame.filename), root)}:{frame.lineno}"
    return ""


def run_error(error: BaseException, root: Path) -> RunError:
    """Why a run failed; frames of this package are left out of the traceback."""
    if isinstance(error, RemoteError):
        return RunError(
            type=error.name,
            message=error.message[:2_000],
            where=error.where,
            traceback=error.stack[-_TRACEBACK_LIMIT:],
            names=tuple(dict.fromkeys(n for n in (error.name, error.code, *error.names) if n)),
            final=error.name == _MISFIT,
        )
    frames = _frames(error, root)
    text = "".join(traceback.format_list(frames)) + "".join(_final_lines(error))
    return RunError(
        type=type(error).__name__,
        message=_message(error),
        where=_place(frames, root),
        traceback=text[-_TRACEBACK_LIMIT:],
        names=_names(type(error)),
        final=isinstance(error, InputMismatchError),
    )


def _names(error_class: type[BaseException]) -> tuple[str, ...]:
    """The names of the class and of what it inherits from, short and with their modules."""
    classes = [c for c in error_class.__mro__ if issubclass(c, BaseException)]
    names = [name for c in classes for name in (c.__name__, f"{c.__module__}.{c.__qualname__}")]
    return tuple(dict.fromkeys(names))


def _final_lines(error: BaseException) -> list[str]:
    try:
        return traceback.format_exception_only(error)
    except Exception:
        return [f"{type(error).__name__}: {_message(error)}\n"]


def _message(error: BaseException) -> str:
    try:
        return str(error)[:2_000]
    except Exception:  # a user's __str__ may fail too
        return "(its message can not be shown)"
