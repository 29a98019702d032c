"""Spans are made only if someone asks, and go where the variables say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from motia_celery.observe.tracing import wanted_exporters

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}

#: Tells of its tracer, between the test's own lines.
PROGRAM = """
import sys

from motia_celery.observe import tracing
from motia_celery.plan.topology import Names

{before}
tracing.configure("worker", Names("shop"), uses_rabbitmq=True)
tracer = tracing.tracer()
print("on" if tracer else "off", "opentelemetry.sdk.trace" in sys.modules)
{after}
"""

SERVICE = """
from opentelemetry import trace

print(trace.get_tracer_provider().resource.attributes["service.name"])
"""

PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
"""

LATE = f"""
tracing.LOOK_SECONDS = 0
tracing._process.looks_at = 0
{PROVIDER}
print(tracing.tracer() is not None)
tracing.stop()
print(tracing.tracer() is not None)
"""


def told(before: str = "", after: str = "", **environment: str) -> tuple[list[str], str]:
    """What a process says, and its log."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before, after=after)],
        env={"PATH": "", "PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, ()),
        (ENDPOINT, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x/v1/traces"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, ()),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://x"}, ()),
        ({"OTEL_TRACES_EXPORTER": "console"}, ("console",)),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, ("otlp", "console")),
        ({"OTEL_TRACES_EXPORTER": "none", **ENDPOINT}, ()),
        ({"OTEL_TRACES_EXPORTER": "", **ENDPOINT}, ("otlp",)),
        ({"OTEL_SDK_DISABLED": "True", **ENDPOINT}, ()),
    ],
)
def test_only_the_standard_variables_ask_for_an_exporter(
    environment: dict[str, str], wanted: tuple[str, ...]
) -> None:
    assert wanted_exporters(environment) == wanted


def test_without_a_variable_the_sdk_is_not_even_imported() -> None:
    assert told(before="import motia_celery.run.worker")[0] == ["off False"]


def test_a_variable_starts_the_sdk_under_the_name_of_app_and_role() -> None:
    assert told(after=SERVICE, **ENDPOINT)[0] == ["on True", "shop-worker"]


@pytest.mark.parametrize(
    "variable", [{"OTEL_SERVICE_NAME": "x"}, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=x"}]
)
def test_a_name_of_the_users_own_wins(variable: dict[str, str]) -> None:
    lines, _ = told(after=SERVICE, OTEL_TRACES_EXPORTER="console", **variable)
    assert lines == ["on True", "x"]


def test_a_provider_of_the_users_own_is_taken_as_it_is() -> None:
    """And may come late; it is not stopped with the process's own."""
    (seen, service), _ = told(before=PROVIDER, after=SERVICE)
    assert seen == "on True"
    assert service.startswith("unknown_service:python")
    assert told(after=LATE)[0] == ["off False", "True", "True"]


def test_what_is_missing_is_said_once_with_its_fix() -> None:
    environment = {**ENDPOINT, "OTEL_TRACES_EXPORTER": "zipkin"}
    lines, log = told(**environment)
    assert lines == ["off False"]
    assert log.count("'zipkin' is asked for") == 1
    assert "OTEL_TRACES_EXPORTER=none turns spans off" in log
    lines, log = told(**ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL="smoke")
    assert lines == ["off False"]
    assert "http/protobuf or grpc" in log


def test_the_console_exporter_writes_what_waits_at_the_end() -> None:
    span = 'tracer.start_span("one").end(); tracing.stop()'
    lines, _ = told(after=span, OTEL_TRACES_EXPORTER="console")
    assert '"name": "one"' in "\n".join(lines)
