"""Log lines: readable in a terminal, JSON for machines, the same fields in both.

Every line is a sentence plus fields: first those in :data:`FIELDS`, then what else the line was
given, and the user's own under ``data``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol

import orjson

from motia_celery.model.excerpt import shown as text_of
from motia_celery.model.redaction import DEFAULT, Redaction

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

#: The same as JSON leaves them, which escapes C0 alone.
_CONTROL_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

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
    level: str = "info",
    style: Literal["auto", "json", "console"] = "auto",
    process: str = "",
    redact_keys: Iterable[str] = (),
) -> None:
    """Sends every log line of this process to stderr, in one of the two forms.

    ``auto`` is JSON unless stderr is a terminal or colour is asked for. ``process`` names the
    role (web, worker, beat) in each line. A line that is logged while a handler runs has its run's
    fields. Values under secret keys, ``redact_keys`` too, are masked.
    """
    color = _wants_color()
    handler = logging.StreamHandler(sys.stderr)
    as_json = style == "json" or (style == "auto" and not color and not sys.stderr.isatty())
    redaction = Redaction(redact_keys)
    handler.setFormatter(
        JsonFormatter(process, redaction)
        if as_json
        else ConsoleFormatter(color=color, redaction=redaction)
    )
    handler.addFilter(_of_its_run)
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

    def __init__(self, process: str = "", redaction: Redaction = DEFAULT) -> None:
        super().__init__()
        self.process = process
        self._redaction = redaction

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
        text = self._redaction.json(_json_line(line)).decode()
        return _CONTROL_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    """What the line was given beyond the common fields."""
    known = _STANDARD | _OWN_KEYS
    return {n: v for n, v in record.__dict__.items() if n not in known and not n.startswith("_")}


def _json_line(line: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(line, default=text_of, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError, RecursionError):
        # Lone surrogates, numbers past 64 bits, circular references: the line is kept as text.
        kept = {n: v if _is_plain(v) else _compact(v) for n, v in line.items()}
        return json.dumps(kept).encode()


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str) or _is_small(value)


def _is_small(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() < 64


class ConsoleFormatter(logging.Formatter):
    """``12:00:01.123 INFO  charge-card  Charged 12 EUR  {"order": 7}  4bf92f35``."""

    def __init__(self, *, color: bool = True, redaction: Redaction = DEFAULT) -> None:
        super().__init__()
        self._color = color
        self._redaction = redaction

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
            parts.append(self._paint("90", one_line(_compact(self._redaction.value(data)))))
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


def _timestamp(created: float) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(created))
    return f"{seconds}.{int(created % 1 * 1000):03d}Z"


_step_logger = logging.getLogger("motia_celery.step")


class Lines(Protocol):
    """Keeps the lines of one run beside the log."""

    def logged(self, level: str, message: str, data: Any = None) -> None:
        """Takes a line."""


class StepLogger:
    """``context.logger``: a message, and optionally a dict or any value beside it."""

    def __init__(self, fields: Mapping[str, Any], lines: Lines | None = None) -> None:
        self._fields = dict(fields)
        self._lines = lines

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
        if not _step_logger.isEnabledFor(level):
            return
        text, fields = text_of(message), as_fields(data)
        if self._lines is not None:
            self._lines.logged(_LEVEL_NAMES[level], text, fields)
        extra = {"action": "step.log", **self._fields, "data": fields}
        _step_logger.log(level, "%s", text, extra=extra)

    def capture(self, record: logging.LogRecord) -> bool:
        """Takes a line that was logged in the run; False if it is not to be written here."""
        if self._lines is not None:
            self._lines.logged(level_name(record), line_text(record), line_data(record))
        for name, value in self._fields.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class Logs(Protocol):
    """A run's context, as far as lines need it."""

    @property
    def logger(self) -> StepLogger:
        """The run's logger."""


#: Whose handler runs.
_current: ContextVar[Logs | None] = ContextVar("motia_celery_step_logger", default=None)


class Capturing:
    """While it is entered, what is logged by Python's ``logging``, in whatever library, is the
    run's too. Each run enters one, so it is a class, which costs a third of a generator.
    """

    __slots__ = ("_context", "_token")

    def __init__(self, context: Logs) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = _current.set(self._context)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


_LEVEL_NAMES = {10: "debug", 20: "info", 30: "warn", 40: "error"}


def _of_its_run(record: logging.LogRecord) -> bool:
    """Gives a record to the run in which it was logged; a logging filter."""
    run = None if record.name == _step_logger.name else _current.get()
    return run is None or run.logger.capture(record)


class _Keeper(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _of_its_run(record)


@contextmanager
def keeping_lines(level: str = "info") -> Iterator[None]:
    """Has the lines that runs log kept, from ``level`` on, where nothing configured the logging.

    It is for tests: handlers and levels are put back at the end.
    """
    root, keeper = logging.getLogger(), _Keeper()
    loggers = [root, _step_logger, *map(logging.getLogger, _QUIET)]
    before = [(one, one.level) for one in loggers]
    root.addHandler(keeper)
    for one in loggers:
        quiet = _QUIET.get(one.name, 0)
        one.setLevel(max(quiet, getattr(logging, level.upper())))
    try:
        yield
    finally:
        root.removeHandler(keeper)
        for one, earlier in before:
            one.setLevel(earlier)


def level_name(record: logging.LogRecord) -> str:
    """The level in Motia's words."""
    return _LEVEL_NAMES[min(40, max(10, record.levelno // 10 * 10))]


def line_text(record: logging.LogRecord) -> str:
    """The message; where it can not be put together, what there is of it."""
    try:
        return record.getMessage()
    except Exception as error:  # arguments that do not fit are reported when the line is written
        return f"{record.msg} ({type(error).__name__}: {error})"


def line_data(record: logging.LogRecord) -> dict[str, Any] | None:
    """What the line was given beside its message."""
    data = _extras(record)
    given = getattr(record, "data", None)
    if given is not None:
        data["data"] = given
    if record.exc_info and record.exc_info[0] is not None:
        data["traceback"] = logging.Formatter().formatException(record.exc_info)
    return data or None


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
