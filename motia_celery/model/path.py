"""Paths of http Steps: Express 4's syntax, compiled once to a regular expression.

``/users/:id``, optional ``:id?``, constrained ``:id(\\d+)``, ``*`` for the rest, and bare groups
such as ``/(a|b)``. Matching ignores case and a trailing slash, as in Express.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from urllib.parse import unquote

from motia_celery.errors import PathError

METHODS: tuple[str, ...] = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")

#: ``\d`` and ``\w`` stay ASCII, so that a handler may trust ``int(req.path_params["id"])``.
_FLAGS = re.IGNORECASE | re.ASCII | re.DOTALL
_BRACES = re.compile(r"\{([A-Za-z_]\w*)\}")
_TOKEN = re.compile(
    r"\\(?P<escaped>.)"
    r"|(?P<slash>/)?(?P<dot>\.)?:(?P<name>\w+)"
    r"|(?P<rest>\(\.\*\)|\*)"
    r"|(?P<group>/\((?!\?|\.\*\)))"
    r"|(?P<pattern>[()\[\]{}+?|^$])"
    r"|(?P<text>.)",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[\\:*()\[\]{}+?^$]")
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT_ESCAPE = re.compile(r"%(2[Ff5])")
_MATCHES_ALL = frozenset({".*", ".+"})


class _Kind(IntEnum):
    """How specific a segment is; the less specific one is tried later."""

    STATIC = 0
    PATTERN = 1
    PARAM = 2
    OPTIONAL = 3
    REST = 4


Rank = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CompiledPath:
    """A path that can be matched.

    ``names`` are the parameters in order, ``*`` and unnamed groups numbered from ``"0"``.
    ``openapi`` is the path as OpenAPI writes it. Sorting by ``rank`` puts the more specific
    path first, segment by segment. ``static`` is the lower-cased path where it has no parameter
    and no pattern, else None; only where it is None there is a ``regex``. All that match begin
    with ``beginning``, in any case: whole segments of plain text, or nothing.
    """

    source: str
    regex: re.Pattern[str] | None
    names: tuple[str, ...]
    openapi: str
    rank: Rank
    static: str | None
    beginning: str

    def match(self, path: str) -> dict[str, str] | None:
        """The decoded parameters of a request's path, or None where it does not match.

        ``path`` is the path as sent, with its percent-escapes. An optional parameter that is
        absent is left out.
        """
        decoded = decode_path(path)
        if decoded is None:
            return None
        if self.regex is None:
            return {} if static_key(decoded) == self.static else None
        found = self.regex.match(decoded)
        if found is None:
            return None
        return {
            name: _decode_kept(value)
            for name, value in zip(self.names, found.groups(), strict=True)
            if value is not None
        }


def static_key(path: str) -> str:
    """The path as Express compares it: in any case, with or without one ending slash."""
    return (path[:-1] if path.endswith("/") and len(path) > 1 else path).lower()


def decode_path(path: str) -> str | None:
    """The path with its escapes decoded except ``%2F`` and ``%25``; None where one is malformed.

    An encoded slash must not part segments, so it is decoded only inside a parameter's value.
    Decoding twice changes nothing.
    """
    if "%" not in path:
        return path
    if _MALFORMED_ESCAPE.search(path):
        return None
    try:
        return unquote(_KEPT_ESCAPE.sub(lambda m: "%25" + m[1].upper(), path), errors="strict")
    except UnicodeDecodeError:
        return None


def _decode_kept(value: str) -> str:
    return value.replace("%2F", "/").replace("%25", "%") if "%" in value else value


def path_fault(path: str) -> str | None:
    """Why ``path`` can not be used, or None."""
    if not path.startswith(("/", "*")):
        return "a path starts with '/'"
    braces = _BRACES.search(path)
    if braces:
        return f"a parameter is written ':{braces[1]}', not '{braces[0]}'"
    if re.search(r":\w+:\w", path):
        return "two parameters need something between them, such as '/' or '-'"
    try:
        compile_path(path)
    except PathError as error:
        return error.what
    return None


@lru_cache(maxsize=16_384)
def compile_path(path: str) -> CompiledPath:
    """The path compiled.

    Raises:
        PathError: a group in it is not a valid regular expression.
    """
    builder = _Builder()
    decoded = decode_path(path) or path
    _read(decoded, builder)
    openapi = "/" + "".join(builder.openapi).removeprefix("/")
    rank = tuple(segment.rank for segment in builder.segments)
    static = all(kind == _Kind.STATIC for kind, _ in rank)
    # A pattern takes 0.1 ms to compile, and most of a thousand paths need none.
    regex = None if static else _compile(path, "".join(builder.regex))
    return CompiledPath(
        source=path,
        regex=regex,
        names=_names(regex, builder.given) if regex else (),
        openapi=openapi.rstrip("/") if len(openapi) > 1 else openapi,
        rank=rank,
        static=(openapi.rstrip("/").lower() or "/") if static else None,
        beginning=_beginning(decoded),
    )


def _compile(path: str, source: str) -> re.Pattern[str]:
    ending = "?" if path.endswith("/") else "/?"
    try:
        try:
            return re.compile(rf"{source}{ending}\Z", _FLAGS)
        except re.error:
            re.compile(source, _FLAGS)  # alone, so that the fault names nothing that we added
            raise
    except (re.error, OverflowError, RecursionError) as error:
        raise PathError(f"the path {path!r} is not a valid pattern: {error}", path) from error


def _beginning(path: str) -> str:
    """The whole segments before the first that is no plain text."""
    if "|" in path:
        return ""
    special = _SPECIAL.search(path)
    plain = path[: special.start()] if special else path
    if special and special[0] in "?+{":  # it is about the character before it
        plain = plain[:-1]
    return plain.rpartition("/")[0].lower()


def _names(regex: re.Pattern[str], given: list[str | None]) -> tuple[str, ...]:
    """One name for each capturing group; those without a name are numbered."""
    named = {index: name for name, index in regex.groupindex.items()}
    names: list[str] = []
    number = 0
    for index in range(regex.groups):
        name = (given[index] if index < len(given) else None) or named.get(index + 1)
        if name is None:
            name, number = str(number), number + 1
        names.append(name)
    return tuple(names)


@dataclass(slots=True)
class _Segment:
    """One segment of the path, as its specificity is measured."""

    kind: _Kind = _Kind.STATIC
    literals: int = 0

    def widen(self, kind: _Kind) -> None:
        self.kind = max(self.kind, kind)

    @property
    def rank(self) -> tuple[int, int]:
        return (int(self.kind), -self.literals if self.kind else 0)


@dataclass(slots=True)
class _Builder:
    """What grows while the path is read from left to right."""

    regex: list[str] = field(default_factory=list)
    openapi: list[str] = field(default_factory=list)
    given: list[str | None] = field(default_factory=list)
    segments: list[_Segment] = field(default_factory=list)
    depth: int = 0
    unnamed: int = 0
    #: Plain text since the last parameter of this segment; None once a pattern came between.
    since: str | None = None

    @property
    def segment(self) -> _Segment:
        if not self.segments:
            self.segments.append(_Segment())
        return self.segments[-1]

    def text(self, char: str) -> None:
        """A character that stands for itself."""
        if char == "/":
            self.slash()
        else:
            self.segment.literals += 1
            self.since = None if self.since is None else self.since + char
        self.regex.append(re.escape(char))
        self.openapi.append(char)

    def slash(self) -> None:
        """A new segment begins, except inside a group."""
        self.since = None
        if self.depth == 0:
            self.segments.append(_Segment())

    def pattern(self, char: str) -> None:
        """A character with a meaning in regular expressions."""
        self.depth += {"(": 1, ")": -1}.get(char, 0)
        self.segment.widen(_Kind.OPTIONAL if char == "?" else _Kind.PATTERN)
        self.since = None
        self.regex.append(char)
        self.openapi.append(char)

    def number(self, groups: int = 1) -> str:
        """The next unnamed parameter's name; ``groups`` of them are taken."""
        self.given.extend([None] * groups)
        self.unnamed += groups
        return str(self.unnamed - groups)

    def rest(self) -> None:
        """``*``: everything that follows."""
        self.segment.widen(_Kind.REST)
        self.since = None
        self.regex.append("(.*)")
        self.openapi.append(f"{{{self.number()}}}")


def _read(path: str, builder: _Builder) -> None:
    position = 0
    while token := _TOKEN.match(path, position):
        position = token.end()
        if token["name"]:
            position = _read_parameter(path, token, builder)
        elif token["group"]:
            # A group right after a slash captures nothing, as in Express.
            builder.text("/")
            builder.pattern("(")
            builder.regex.append("?:")
        elif token["rest"]:
            builder.rest()
        elif token["pattern"]:
            _read_pattern(path, token, builder)
        else:
            builder.text(token["escaped"] or token["text"])


def _read_pattern(path: str, token: re.Match[str], builder: _Builder) -> None:
    char = token["pattern"]
    if char == "(":
        builder.number(_captures(path, token.start()))
    builder.pattern(char)


def _captures(path: str, start: int) -> int:
    """1 where the parenthesis at ``start`` opens a group that captures, else 0."""
    return int(not path.startswith("(?", start) or path.startswith("(?P<", start))


def _read_parameter(path: str, token: re.Match[str], builder: _Builder) -> int:
    """Adds ``/:name(pattern)*?`` and returns where it ends."""
    if token["slash"]:
        builder.slash()
    position = token.end()
    own = _balanced_group(path, position)
    position += len(own)
    star = path.startswith("*", position)
    position += star
    optional = path.startswith("?", position)
    builder.segment.widen(_parameter_kind(own, star, optional))
    builder.given.append(token["name"])
    dot = token["dot"] or ""
    value = own or _default_value(dot, builder.since)
    builder.number(_inner_groups(own) + star)
    if star:
        value += rf"((?:[/{dot}].+?)?)"
    slash = token["slash"] or ""
    body = f"(?:{re.escape(dot)}{slash if optional else ''}{value})"
    builder.regex.append(f"{body}?" if optional else f"{slash}{body}")
    builder.openapi.append(f"{slash}{dot}{{{token['name']}}}")
    builder.since = ""
    return position + optional


def _parameter_kind(own: str, star: bool, optional: bool) -> _Kind:
    if star or own[1:-1] in _MATCHES_ALL:
        return _Kind.REST
    if optional:
        return _Kind.OPTIONAL
    return _Kind.PATTERN if own else _Kind.PARAM


def _default_value(dot: str, since: str | None) -> str:
    """What a parameter without its own pattern takes.

    In ``/:a-:b`` the second one takes no ``-``: two that could both take it would let a long
    path of dashes cost quadratic time.
    """
    if since and not dot:
        return f"((?:(?!/|{re.escape(since)}).)+?)"
    return f"([^/{dot}]+?)"


def _balanced_group(path: str, start: int) -> str:
    """The parenthesised text at ``start``, or the empty string."""
    if not path.startswith("(", start):
        return ""
    depth = 0
    for index in range(start, len(path)):
        if path[index - 1] == "\\":
            continue
        depth += {"(": 1, ")": -1}.get(path[index], 0)
        if depth == 0:
            return path[start : index + 1]
    return path[start:]


def _inner_groups(own: str) -> int:
    """How many capturing groups a parameter's own pattern holds besides the outer one."""
    try:
        return max(0, re.compile(own).groups - 1) if own else 0
    except (re.error, OverflowError, RecursionError):
        return 0  # compiling the whole path reports it
