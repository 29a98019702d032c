"""The text of a run that was written once, which most are: all fields of its record in a row.

Its first line has the bytes of all fields, and of each of them. As a hash it takes Redis twice the
time; one that is written again becomes a hash (``record_scripts.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: The fields, those that lists show first; ``order`` is the attempt's span id.
FIELDS = ("step", "trace", "started", "state", "order", "head", "error", "input", "attempt")
#: Those that lists show.
SHOWN_FIELDS = ("step", "trace", "started", "state", "head", "error")
_LINE = b" ".join([b"%d"] * (len(FIELDS) + 1)) + b"\n"


def joined(values: Sequence[bytes]) -> bytes:
    """The text of these values of :data:`FIELDS`."""
    sizes = [len(value) for value in values]
    return _LINE % (sum(sizes), *sizes) + b"".join(values)


def shown_bytes(text: bytes) -> int:
    """How much of the text lists need; ``text`` is at least its first line."""
    line, _, _ = text.partition(b"\n")
    _, *sizes = map(int, line.split())
    return len(line) + 1 + sum(sizes[: FIELDS.index("input")])


def parted(text: bytes) -> Mapping[str, bytes]:
    """The fields of a text, under the names that they have in a hash."""
    line, _, _ = text.partition(b"\n")
    _, *sizes = map(int, line.split())
    fields, start = {}, len(line) + 1
    for name, size in zip(FIELDS, sizes, strict=True):
        fields[name] = text[start : start + size]
        start += size
    fields[f"a:{fields['order'].decode()}"] = fields.pop("attempt")
    return fields
