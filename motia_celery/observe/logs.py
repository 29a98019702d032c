"""Log lines: readable in a terminal, JSON for machines, the same fields in both.

Every line is a sentence plus fields: first those in :data:`FIELDS`, then what else the line was
given, and the user's own under ``data``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import orjson

#: The fields that lines have in common, in the order in which they are shown.
FIELDS = ("action", "step", "run_id", "trace_id", "attempt", "flows")

#: What every record carries, whatever it was given.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_OWN_KEYS = frozenset({"ts", "level", "msg", "logger", "process", "data"})

_COLORS = {"DEBUG": "90", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "35"}
_LEVELS = {"WARNING": "WARN", "CRITICAL": "ERROR"}
#: C0 and C1 controls, line separators, and the marks that turn the direction of writing.
_CONTROL = (
    {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
    | {code: f"\\u{code:04x}" for code in (*range(0x2028, 0x202F), *range(0x2066, 0x206A))}
    | {10: "\\n", 13: "\\r", 9: "  "}
)

#: Libraries whose INFO lines repeat what ours say, at several lines a task.
_QUIET = {
    "celery": logging.WARNING,
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "watchfiles": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpx": logging.WARNING,
}


def configure_logging(
    level: str = "info", style: Literal["auto", "json", "console"] = "auto", process: str = ""
) -> None:
    """Sends every log line of this process to stderr, in one of the two forms.

    ``auto`` is JSON unless stderr is a terminal or colour is asked for. ``process`` names the
    role (web, worker, beat) in each line.
    """
    color = _wants_color()
    handler = logging.StreamHandler(sys.stderr)
    as_json = style == "json" or (style == "auto" and not color and not sys.stderr.isatty())
    handler.setFormatter(JsonFormatter(process) if as_json else ConsoleFormatter(color=color))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, quiet_level in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet_level, root.level))


def logging_form() -> tuple[str, str, str] | None:
    """What :func:`configure_logging` was told in this process, for one that it starts."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler.formatter, JsonFormatter):
            return logging.getLevelName(root.level).lower(), "json", handler.formatter.process
        if isinstance(handler.formatter, ConsoleFormatter):
            return logging.getLevelName(root.level).lower(), "console", ""
    return None


def _wants_color() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stderr.isatty()


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``ts``, ``level``, ``msg``, the fields, and ``data``."""

    def __init__(self, process: str = "") -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "ts": _timestamp(record.created),
            "level": _LEVELS.get(record.levelname, record.levelname).lower(),
            "msg": record.getMessage(),
            "logger": record.name,
        }
        if self.process:
            line["process"] = self.process
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        line |= _extras(record)
        data = getattr(record, "data", None)
        if data is not None:
            line["data"] = data
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _json_line(line)


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    """What the line was given beyond the common fields."""
    known = _STANDARD | _OWN_KEYS
    return {n: v for n, v in record.__dict__.items() if n not in known and not n.startswith("_")}


def _json_line(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line, default=text_of, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        # Lone surrogates, numbers past 64 bits, circular references: the line is kept as text.
        return json.dumps({n: v if _is_plain(v) else _compact(v) for n, v in line.items()})


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str) or _is_small(value)


def _is_small(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() < 64


class ConsoleFormatter(logging.Formatter):
    """``12:00:01.123 INFO  charge-card  Charged 12 EUR  {"order": 7}  4bf92f35``."""

    def __init__(self, *, color: bool = True) -> None:
        super().__init__()
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, with a traceback below it where there is one."""
        parts = [
            self._paint("90", time.strftime("%H:%M:%S", time.localtime(record.created))),
            self._level(record.levelname),
        ]
        step = getattr(record, "step", None)
        if step:
            parts.append(self._paint("1", one_line(step)))
        parts.append(one_line(record.getMessage()))
        data = getattr(record, "data", None)
        if data is not None:
            parts.append(self._paint("90", one_line(_compact(data))))
        trace_id = getattr(record, "trace_id", None)
        if trace_id:
            parts.append(self._paint("90", one_line(trace_id)[:8]))
        return " ".join(parts) + self._traceback(record)

    def _traceback(self, record: logging.LogRecord) -> str:
        text = getattr(record, "traceback", None)
        if record.exc_info:
            text = self.formatException(record.exc_info)
        # Indented, so that no message inside can pass for a line of its own.
        return "".join(f"\n    {one_line(line)}" for line in str(text or "").splitlines())

    def _level(self, name: str) -> str:
        return self._paint(_COLORS.get(name, "0"), f"{_LEVELS.get(name, name):<5}")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text


def one_line(text: object) -> str:
    """The text with control characters escaped, so that it can not forge a line or a colour."""
    return str(text).translate(_CONTROL)


def _compact(data: Any) -> str:
    try:
        return json.dumps(data, default=text_of, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return text_of(data, repr)


def text_of(value: object, form: Callable[[object], str] = str) -> str:
    """The value as text; a line about it is written even where its own methods fail."""
    try:
        return form(value)
    except Exception as error:  # whatever its `__str__` raises, or it is nested too deeply
        return f"<{type(value).__name__} that can not be shown: {type(error).__name__}>"


def _timestamp(created: float) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(created))
    return f"{seconds}.{int(created % 1 * 1000):03d}Z"


_step_logger = logging.getLogger("motia_celery.step")


class StepLogger:
    """``context.logger``: a message, and optionally a dict or any value beside it."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = dict(fields)

    def debug(self, message: object, data: Any = None) -> None:
        """Logs for someone who looks closely."""
        self._write(logging.DEBUG, message, data)

    def info(self, message: object, data: Any = None) -> None:
        """Logs what happened."""
        self._write(logging.INFO, message, data)

    def warn(self, message: object, data: Any = None) -> None:
        """Logs what should be looked at."""
        self._write(logging.WARNING, message, data)

    def error(self, message: object, data: Any = None) -> None:
        """Logs what went wrong."""
        self._write(logging.ERROR, message, data)

    warning = warn
    log = info

    def _write(self, level: int, message: object, data: Any) -> None:
        if _step_logger.isEnabledFor(level):
            extra = {"action": "step.log", **self._fields, "data": as_fields(data)}
            _step_logger.log(level, "%s", text_of(message), extra=extra)


def as_fields(data: Any) -> Any:
    """What Motia accepts beside a message: a dict, an object's attributes, or any value."""
    if data is None:
        return None
    if isinstance(data, Mapping):
        return dict(data)
    attributes = getattr(data, "__dict__", None)
    if attributes and not isinstance(data, BaseException):
        return dict(attributes)
    return {"data": text_of(data) if isinstance(data, BaseException) else data}
