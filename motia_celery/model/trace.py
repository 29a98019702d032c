"""The W3C trace that ties every run from one cause together."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ZERO_TRACE = "0" * 32
_ZERO_SPAN = "0" * 16


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace: its 32-hex trace id, 16-hex span id, and W3C flags."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @classmethod
    def start(cls) -> Trace:
        """A new trace with random ids."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    @classmethod
    def from_header(cls, traceparent: object) -> Trace | None:
        """The trace of a ``traceparent`` header, or None where it is missing or malformed."""
        if not isinstance(traceparent, str):
            return None
        match = _TRACEPARENT.fullmatch(traceparent.strip())
        if not match or match[2] == _ZERO_TRACE or match[3] == _ZERO_SPAN:
            return None
        version, trace_id, span_id, flags, more = match.groups()
        # Only a later version may bring more parts, and 'ff' is no version.
        if version == "ff" or (version == "00" and more):
            return None
        return cls(trace_id, span_id, flags)

    def child(self) -> Trace:
        """A new span in the same trace."""
        return Trace(self.trace_id, secrets.token_hex(8), self.flags)

    @property
    def header(self) -> str:
        """The value of a ``traceparent`` header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"
