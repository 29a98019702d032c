"""The W3C trace that ties every run from one cause together, and what travels beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Final

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
BAGGAGE: Final = "baggage"

#: What of them is passed on at most; they come from anybody, and go with every message.
STATE_CHARACTERS = 512
STATE_MEMBERS = 32
BAGGAGE_CHARACTERS = 8192
BAGGAGE_MEMBERS = 64

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ZERO_TRACE = "0" * 32
_ZERO_SPAN = "0" * 16

_STATE_KEY = r"[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}|[a-z][a-z0-9_\-*/]{0,255}"
_STATE_VALUE = r"[ -+\--<>-~]{0,255}[!-+\--<>-~]"
_STATE_MEMBER = re.compile(f"(?:{_STATE_KEY})={_STATE_VALUE}")
#: Members longer than this go first where there are too many.
_LONG_STATE_MEMBER = 128

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - HTTP's word for a name
_OCTETS = r"[!#-+\--:<-\[\]-~]*"
_PAIR = rf"{_TOKEN}[ \t]*=[ \t]*{_OCTETS}"
_BAGGAGE_MEMBER = re.compile(rf"{_PAIR}(?:[ \t]*;[ \t]*{_TOKEN}(?:[ \t]*=[ \t]*{_OCTETS})?)*")


#: Ids are to be different, not secret, and each run needs one: the kernel is asked once only.
#: Python's own generator would repeat them where a handler seeds it.
_random = Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace: its 32-hex trace id, 16-hex span id, and W3C flags.

    ``state`` and ``baggage`` are the values of the headers ``tracestate`` and ``baggage``.
    """

    trace_id: str
    span_id: str
    flags: str = "01"
    state: str = ""
    baggage: str = ""

    @classmethod
    def start(cls) -> Trace:
        """A new trace with random ids."""
        return cls(f"{_random.getrandbits(128) or 1:032x}", _span_id())

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

    @classmethod
    def read(cls, headers: Mapping[str, object]) -> Trace | None:
        """The place that a request's or a message's headers name, or None; names in lower case."""
        place = cls.from_header(headers.get(TRACEPARENT))
        if place is None:
            return None
        state, baggage = headers.get(TRACESTATE), headers.get(BAGGAGE)
        if not state and not baggage:
            return place
        return replace(place, state=read_state(state), baggage=read_baggage(baggage))

    @classmethod
    def begin(cls, headers: Mapping[str, object]) -> Trace:
        """A new trace for headers that name none; baggage may come without one."""
        place, given = cls.start(), headers.get(BAGGAGE)
        return replace(place, baggage=read_baggage(given)) if given else place

    def child(self) -> Trace:
        """A new span in the same trace."""
        return Trace(self.trace_id, _span_id(), self.flags, self.state, self.baggage)

    @property
    def header(self) -> str:
        """The value of a ``traceparent`` header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that name this place."""
        headers = {TRACEPARENT: self.header}
        if self.state:
            headers[TRACESTATE] = self.state
        if self.baggage:
            headers[BAGGAGE] = self.baggage
        return headers


def _span_id() -> str:
    return f"{_random.getrandbits(64) or 1:016x}"


def random_id() -> str:
    """A random UUID, version 4, for what needs an id and no secret."""
    text = f"{_random.getrandbits(128):032x}"
    variant = "89ab"[ord(text[16]) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def trace_headers(headers: Mapping[str, object]) -> dict[str, str]:
    """Those of the headers that name a place in a trace, without what is malformed."""
    if place := Trace.read(headers):
        return place.headers
    baggage = read_baggage(headers.get(BAGGAGE))
    return {BAGGAGE: baggage} if baggage else {}


def read_state(value: object) -> str:
    """A ``tracestate`` that can be passed on: nothing where a member is malformed."""
    members = _members(value)
    keys = {member.partition("=")[0] for member in members}
    if len(members) > STATE_MEMBERS or len(keys) < len(members):
        return ""
    if not all(map(_STATE_MEMBER.fullmatch, members)):
        return ""
    if len(",".join(members)) > STATE_CHARACTERS:
        members = [member for member in members if len(member) <= _LONG_STATE_MEMBER]
    return ",".join(_fitting(members, STATE_CHARACTERS))


def read_baggage(value: object) -> str:
    """A ``baggage`` that can be passed on, without its malformed members and those past the cap."""
    members = [member for member in _members(value) if _BAGGAGE_MEMBER.fullmatch(member)]
    return ",".join(_fitting(members[:BAGGAGE_MEMBERS], BAGGAGE_CHARACTERS))


def _members(value: object) -> list[str]:
    if not isinstance(value, str):
        return []
    return [member for part in value.split(",") if (member := part.strip(" \t"))]


def _fitting(members: Iterable[str], limit: int) -> Iterator[str]:
    """The members from the first on, as many as fit with the commas between them."""
    length = -1
    for member in members:
        length += 1 + len(member)
        if length > limit:
            return
        yield member
