"""Log lines: a sentence and fixed fields, which no text can forge."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections import UserDict
from types import SimpleNamespace

import pytest

from motia_celery.observe.logs import (
    Capturing,
    ConsoleFormatter,
    JsonFormatter,
    StepLogger,
    configure_logging,
    one_line,
)

HOSTILE = "ok\n12:00:00 ERROR forged\r\x1b[31mred\x9b1m\u2028next\u202eesrever\x00\x7f"


def capturing(logger):
    return Capturing(SimpleNamespace(logger=logger))


def record(message="Charged", level=logging.INFO, error=None, **fields):
    made = logging.LogRecord("motia_celery.step", level, "f", 1, message, (), error)
    made.__dict__.update(fields)
    return made


def as_json(*args, process="", **fields):
    return json.loads(JsonFormatter(process).format(record(*args, **fields)))


def as_text(*args, color=False, **fields):
    return ConsoleFormatter(color=color).format(record(*args, **fields))


def raised(message):
    try:
        raise ValueError(message)
    except ValueError:
        return sys.exc_info()


@pytest.fixture
def untouched_root():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_json_line_has_the_sentence_the_fields_and_the_data():
    line = as_json(
        action="step.log",
        step="charge",
        run_id="r",
        trace_id="t",
        attempt=2,
        data={"n": 1},
        process="worker",
    )
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "info",
        "msg": "Charged",
        "logger": "motia_celery.step",
        "process": "worker",
        "action": "step.log",
        "step": "charge",
        "run_id": "r",
        "trace_id": "t",
        "attempt": 2,
        "data": {"n": 1},
    }


def test_the_process_is_the_role_and_never_pythons_process_id():
    assert as_json(process="web")["process"] == "web"
    assert "process" not in as_json()


def test_other_fields_that_a_line_was_given_are_kept():
    line = as_json(where="steps/a_step.py:3", reason="down", traceback="File …")
    assert (line["where"], line["reason"]) == ("steps/a_step.py:3", "down")
    assert "args" not in line


def test_levels_have_motias_names():
    assert as_json(level=logging.WARNING)["level"] == "warn"
    assert as_json(level=logging.CRITICAL)["level"] == "error"


@pytest.mark.parametrize(
    "data",
    [
        HOSTILE,
        "\ud800 lone",
        2**80,
        {(1, 2): "tuple key"},
        {1: "int key"},
        {"deep": {"set": {1}}},
        float("nan"),
        object(),
        UserDict({"a": 1}),
        b"bytes",
    ],
)
def test_any_data_is_one_valid_json_line(data):
    text = JsonFormatter().format(record(HOSTILE, data={"x": data}))
    assert "\n" not in text
    assert json.loads(text)["msg"] == HOSTILE


def test_circular_data_is_one_line_too():
    data = {}
    data["self"] = data
    assert as_json(data=data)["msg"] == "Charged"
    assert "Charged" in as_text(data=data)


def test_a_traceback_is_a_field_of_the_json_line():
    assert "ValueError: no" in as_json(error=raised("no"))["traceback"]


def test_a_console_line_has_the_step_the_sentence_the_data_and_the_traces_start():
    text = as_text(step="charge", data={"n": 1}, trace_id="4bf92f3577b34da6")
    assert text.partition(" ")[2] == 'INFO  charge Charged {"n": 1} 4bf92f35'


def test_colour_is_ours_alone():
    assert "\x1b[36mINFO" in as_text(color=True)
    assert "\x1b" not in as_text(HOSTILE, step=HOSTILE, data={"x": HOSTILE}, trace_id=HOSTILE)


def test_no_text_can_forge_a_line_or_a_colour():
    text = as_text(HOSTILE, step=HOSTILE, data={HOSTILE: HOSTILE})
    assert len(text.splitlines()) == 1
    assert text.isprintable()


def test_an_exceptions_text_is_indented_so_that_it_can_not_pass_for_a_line():
    text = as_text(error=raised(HOSTILE))
    first, *rest = text.splitlines()
    assert first.endswith("Charged")
    assert rest
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_the_traceback_of_a_failed_run_is_shown_below_its_line():
    assert as_text(traceback='File "steps/a_step.py"\nValueError: no').splitlines()[1:] == [
        '    File "steps/a_step.py"',
        "    ValueError: no",
    ]


def test_text_on_one_line_keeps_what_is_printable():
    assert one_line("naïve 鍵 🔑\ta") == "naïve 鍵 🔑  a"
    assert one_line("a\nb\x1bc") == "a\\nb\\x1bc"


class Order:
    def __init__(self):
        self.id = 7


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (None, None),
        ({"a": 1}, {"a": 1}),
        (UserDict({"a": 1}), {"a": 1}),
        (Order(), {"id": 7}),
        (5, {"data": 5}),
        ([1], {"data": [1]}),
        ("text", {"data": "text"}),
        (ValueError("no"), {"data": "no"}),
    ],
)
def test_the_steps_logger_takes_a_dict_an_object_or_any_value(caplog, data, shown):
    with caplog.at_level(logging.INFO):
        StepLogger({"step": "a"}).info("Hello", data)
    assert caplog.records[0].data == shown


def test_the_steps_logger_has_motias_levels_and_what_people_write_instead(caplog):
    logger = StepLogger({"step": "a", "attempt": 1})
    with caplog.at_level(logging.DEBUG):
        for write in (
            logger.debug,
            logger.info,
            logger.log,
            logger.warn,
            logger.warning,
            logger.error,
        ):
            write("100 % sure: %s")
    assert [r.levelname for r in caplog.records] == [
        "DEBUG",
        "INFO",
        "INFO",
        "WARNING",
        "WARNING",
        "ERROR",
    ]
    assert all(r.getMessage() == "100 % sure: %s" and r.step == "a" for r in caplog.records)


def test_a_message_that_is_no_text_is_shown_as_text(caplog):
    with caplog.at_level(logging.INFO):
        StepLogger({}).info({"a": 1})
    assert caplog.records[0].getMessage() == "{'a': 1}"


def test_the_level_and_the_form_are_those_of_the_settings(untouched_root, capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    configure_logging("warning", "auto", "web")
    logging.getLogger("app").info("hidden")
    logging.getLogger("app").warning("shown")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["msg"] == "shown"
    configure_logging("info", "console")
    logging.getLogger("app").info("plain")
    assert capsys.readouterr().err.endswith("INFO  plain\n")


def test_libraries_that_repeat_ours_are_quiet(untouched_root, capsys):
    configure_logging("debug", "json")
    logging.getLogger("celery").info("hidden")
    logging.getLogger("kombu").debug("hidden")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("environ", "colored"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
)
def test_colour_follows_the_usual_variables(untouched_root, monkeypatch, environ, colored):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    configure_logging("info", "console")
    shown = untouched_root.handlers[0].format(record())
    assert ("\x1b[" in shown) is colored


class Lines:
    """In the place of a run's recording."""

    def __init__(self):
        self.found = []

    def logged(self, level, message, data=None):
        self.found.append((level, message, data))


FIELDS = {"step": "pay", "run_id": "r", "trace_id": "t", "attempt": 2, "flows": ["shop"]}


@pytest.fixture
def written(untouched_root, monkeypatch):
    """What is logged as JSON, as dicts."""
    output = io.StringIO()
    monkeypatch.setattr(sys, "stderr", output)
    configure_logging("info", "json", "worker", ["iban"])
    return lambda: [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_of_a_library_in_a_run_has_the_runs_fields(written):
    lines = Lines()
    with capturing(StepLogger(FIELDS, lines)):
        logging.getLogger("library").warning("Paid %s", 12, extra={"iban": "s3cret", "n": 1})
    logging.getLogger("library").warning("Later")
    first, later = written()
    assert {name: first[name] for name in FIELDS} == FIELDS
    assert (first["msg"], first["logger"], first["iban"]) == ("Paid 12", "library", "[redacted]")
    assert "run_id" not in later
    assert lines.found == [("warn", "Paid 12", {"iban": "s3cret", "n": 1})]


def test_runs_that_go_on_at_once_keep_their_lines_apart(written):
    async def handler(number):
        with capturing(StepLogger({"run_id": str(number)}, lines[number])):
            for _ in range(3):
                await asyncio.sleep(0)
                await asyncio.to_thread(logging.getLogger("x").info, "in %s", number)

    async def all_of_them():
        await asyncio.gather(*map(handler, range(5)))

    lines = [Lines() for _ in range(5)]
    asyncio.run(all_of_them())
    for number, own in enumerate(lines):
        assert [line[:2] for line in own.found] == [("info", f"in {number}")] * 3
    assert all(line["msg"] == f"in {line['run_id']}" for line in written())


def test_a_line_of_the_context_is_kept_once(written):
    lines = Lines()
    logger = StepLogger(FIELDS, lines)
    with capturing(logger):
        logger.info("Hello", data={"n": 1})
        logger.debug("below the level")
    assert lines.found == [("info", "Hello", {"n": 1})]
    (line,) = written()
    assert line["data"] == {"n": 1}


def test_no_text_of_a_library_forges_a_line_or_a_field(written):
    with capturing(StepLogger(FIELDS)):
        logging.getLogger("library").error(HOSTILE + '", "run_id": "forged')
    (line,) = written()
    assert line["run_id"] == "r"
    assert line["msg"].startswith(HOSTILE)


def test_a_message_that_can_not_be_put_together_fails_no_handler(written, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    lines = Lines()
    with capturing(StepLogger(FIELDS, lines)):
        logging.getLogger("library").warning(*("%d of %d", 1))
    ((_, message, _),) = lines.found
    assert message.startswith("%d of %d (TypeError")


@pytest.mark.parametrize("style", ["json", "console"])
def test_data_under_secret_keys_is_masked(untouched_root, capsys, style):
    configure_logging("info", style)
    StepLogger(FIELDS).info("Paid", {"card": {"cvc": "s3cret"}, "n": 1})
    text = capsys.readouterr().err
    assert "s3cret" not in text
    assert "[redacted]" in text
    assert '"n"' in text


def test_a_traceback_is_kept_with_the_line(written):
    lines = Lines()
    with capturing(StepLogger(FIELDS, lines)):
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("library").exception("Failed")
    ((level, _, data),) = lines.found
    assert level == "error"
    assert data["traceback"].endswith("ValueError: no")
