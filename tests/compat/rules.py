"""What a test of this folder proves: a rule of Motia's, and how it is met here.

``bin/compatibility.py`` makes the table of docs/compatibility.md of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

FOLDER = Path(__file__).parent
PROJECTS = FOLDER / "projects"

Verdict = Literal["same", "better", "different"]
Test = TypeVar("Test", bound=Callable[..., object])


@dataclass(frozen=True)
class Rule:
    """A rule, and the test that runs its project."""

    section: str
    text: str
    #: Not met here by design where it says why it is ``different``; met and more where ``better``.
    verdict: Verdict
    note: str
    test: str


def rule(
    section: str, text: str, *, better: str = "", different: str = ""
) -> Callable[[Test], Test]:
    """Says which rule a test proves. Its project is ``projects/<name of the test>``, without
    ``test_`` and with hyphens.

    ``section`` is a heading of ``SECTIONS`` in ``bin/compatibility.py``. Without ``better`` (how)
    and ``different`` (why), the rule holds here as it does in Motia.
    """
    if better and different:
        raise ValueError("A rule is better or different, not both.")

    def mark(test: Test) -> Test:
        return test

    return mark


def project_of(test: str) -> Path:
    """The folder of a test's project."""
    name = test.partition("[")[0].removeprefix("test_").replace("_", "-")
    return PROJECTS / name


def all_rules() -> list[Rule]:
    """The rules of every test, in the order of the files; read, not imported."""
    return [rule for path in sorted(FOLDER.glob("test_*.py")) for rule in _rules_of(path)]


def _rules_of(path: Path) -> Iterator[Rule]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "rule":
                    yield _read(mark, f"{path.name}::{node.name}")


def _read(mark: ast.Call, test: str) -> Rule:
    section, text = (ast.literal_eval(argument) for argument in mark.args)
    notes = {str(word.arg): ast.literal_eval(word.value) for word in mark.keywords}
    verdict: Verdict = "better" if "better" in notes else "different" if notes else "same"
    return Rule(section, text, verdict, "".join(notes.values()), test)
