"""Uploads: the fields and files of a ``multipart/form-data`` body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from motia_celery.context.request import Upload
from motia_celery.run.query import MAX_PARAMETERS


class MultipartError(ValueError):
    """The body is not the multipart form that its content type promises."""


@dataclass(slots=True)
class _Part:
    headers: dict[str, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


class _Parts:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.done: list[_Part] = []
        self.finished = False
        self._part = _Part()
        self._name = b""
        self._value = b""

    def on_part_begin(self) -> None:
        if len(self.done) >= MAX_PARAMETERS:
            raise MultipartError("too many parts")
        self._part = _Part()

    def on_header_begin(self) -> None:
        self._name = self._value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._part.headers[self._name.decode("latin-1").lower()] = self._value

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._part.data += data[start:end]

    def on_part_end(self) -> None:
        self.done.append(self._part)

    def on_end(self) -> None:
        self.finished = True


_CALLBACKS = (
    "on_part_begin",
    "on_header_begin",
    "on_header_field",
    "on_header_value",
    "on_header_end",
    "on_part_data",
    "on_part_end",
    "on_end",
)


def parse_multipart(raw: bytes, content_type: str) -> list[tuple[str, str | Upload]]:
    """The parts in order: text for a field, :class:`Upload` for a file.

    Raises:
        MultipartError: no boundary, more than 1,000 parts, a torn body, or text that is not UTF-8.
    """
    parts = _Parts()
    callbacks: Any = {name: getattr(parts, name) for name in _CALLBACKS}
    _, options = parse_options_header(content_type.encode("latin-1"))
    try:
        parser = MultipartParser(options[b"boundary"], callbacks)
        parser.write(raw)
        parser.finalize()
    except KeyError:
        raise MultipartError("the content type has no boundary") from None
    except FormParserError as error:
        raise MultipartError("the body is not a multipart form") from error
    if not parts.finished:
        raise MultipartError("the multipart form ends too early")
    return [_entry(part) for part in parts.done]


def _entry(part: _Part) -> tuple[str, str | Upload]:
    kind, options = parse_options_header(part.headers.get("content-disposition", b""))
    if kind != b"form-data" or b"name" not in options:
        raise MultipartError("a part has no name")
    try:
        name = options[b"name"].decode()
        if b"filename" not in options:
            return name, part.data.decode()
        return name, _upload(part, options[b"filename"].decode())
    except UnicodeDecodeError as error:
        raise MultipartError("a part is not UTF-8") from error


def _upload(part: _Part, filename: str) -> Upload:
    media_type = part.headers.get("content-type", b"application/octet-stream").decode("latin-1")
    return Upload(
        # Only the last segment: a handler that saves by this name must stay in its folder.
        filename=filename.replace("\\", "/").rpartition("/")[2].replace("\0", ""),
        contentType=media_type,
        content=bytes(part.data),
        size=len(part.data),
    )
