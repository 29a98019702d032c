"""Lines of the log, as the process that wrote them shows them."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from motia_celery.cli.records.times import iso
from motia_celery.observe.logs import ConsoleFormatter

if TYPE_CHECKING:
    from motia_celery.model.record import LogLine

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40}


def as_text(line: LogLine, formatter: ConsoleFormatter) -> str:
    """The line for a terminal."""
    level = _LEVELS.get(line.level, logging.ERROR)
    record = logging.LogRecord("run", level, "", 0, "%s", (line.msg,), None)
    record.created = line.at_ms / 1000
    record.step, record.trace_id, record.data = line.step, line.trace_id, line.data
    return formatter.format(record)


def as_json(line: LogLine) -> str:
    """The line as a log file has it."""
    fields = line.as_dict()
    return json.dumps({"ts": iso(fields.pop("at_ms")), **fields})
