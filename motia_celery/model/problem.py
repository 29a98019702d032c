"""A problem found in a project: what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing for the project's author to mend; ``error`` means that a part does not run.

    ``field`` is the config's field, dotted, where the problem lies in one.
    """

    what: str
    fix: str
    file: str = ""
    line: int | None = None
    severity: Severity = "error"
    field: str = ""

    @property
    def place(self) -> str:
        """``file:line``, as editors and terminals link it."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def as_dict(self) -> dict[str, object]:
        """The problem as JSON-ready fields."""
        return {
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "what": self.what,
            "fix": self.fix,
        }
