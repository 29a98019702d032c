"""The line of each field of a Python file's ``config``, so that a problem can point at it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from motia_celery.model.problem import Problem


def located(problems: tuple[Problem, ...], path: Path) -> tuple[Problem, ...]:
    """The problems, each with the line of its config field, or of the nearest one around it."""
    if all(problem.line for problem in problems):
        return problems
    lines = config_lines(path.read_text(encoding="utf-8", errors="replace"))
    return tuple(
        problem if problem.line else replace(problem, line=_nearest(problem.field, lines))
        for problem in problems
    )


def config_lines(source: str) -> dict[str, int]:
    """The lines by dotted field, ``emits.0.topic`` for example; ``""`` is the config itself."""
    lines: dict[str, int] = {}
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # it was loaded, but may have been changed since
        return lines
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == "config" for target in targets):
            lines[""] = statement.lineno
            _collect(statement.value, "", lines)
    return lines


def _collect(value: ast.expr | None, inside: str, lines: dict[str, int]) -> None:
    for name, line, part in _parts(value):
        lines[f"{inside}{name}"] = line
        _collect(part, f"{inside}{name}.", lines)


def _parts(value: ast.expr | None) -> Iterator[tuple[str, int, ast.expr]]:
    if isinstance(value, ast.Dict):
        for key, part in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value), key.lineno, part
    elif isinstance(value, (ast.List, ast.Tuple)):
        for index, part in enumerate(value.elts):
            yield str(index), part.lineno, part
    elif isinstance(value, ast.Call):
        for keyword in value.keywords:
            if keyword.arg:
                yield keyword.arg, keyword.value.lineno, keyword.value


def _nearest(field: str, lines: Mapping[str, int]) -> int | None:
    while field and field not in lines:
        field = field.rpartition(".")[0]
    return lines.get(field)
