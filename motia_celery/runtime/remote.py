"""What another language's host tells of a file or a handler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteHandler:
    """Stands for a handler that lives in another process; ``file`` is its absolute path.

    ``by_kind`` is there where it has a function for each kind of trigger: the type of each.
    """

    file: str
    by_kind: Mapping[str, str] | None = None


class RemoteError(Exception):
    """What a file or a handler of another language threw.

    ``stack`` is in that language's words; ``file`` and ``line`` are the innermost place in the
    project, where one is known; ``names`` are those of what its class inherits from.
    """

    def __init__(
        self,
        name: str,
        message: str,
        code: str | None = None,
        stack: str = "",
        file: str = "",
        line: int | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, message, code, stack, file, line, names)
        self.name = name
        self.message = message
        self.code = code
        self.stack = stack
        self.file = file
        self.line = line
        self.names = names

    def __str__(self) -> str:
        return self.message

    @property
    def where(self) -> str:
        """``file:line``, or nothing."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.file

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> RemoteError:
        """The error as a frame describes it."""
        line = fields.get("line")
        return cls(
            str(fields.get("name") or "Error"),
            str(fields.get("message") or ""),
            str(fields["code"]) if fields.get("code") else None,
            str(fields.get("stack") or ""),
            str(fields.get("file") or ""),
            line if isinstance(line, int) else None,
            tuple(map(str, fields.get("names") or ())),
        )
