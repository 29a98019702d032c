"""A trace is read from and written as a W3C traceparent header."""

from __future__ import annotations

import pytest

from motia_celery.model.trace import Trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{SPAN}-01"


def test_a_header_is_read_and_written():
    assert Trace.from_header(HEADER) == Trace(TRACE, SPAN, "01")
    assert Trace(TRACE, SPAN, "00").header == f"00-{TRACE}-{SPAN}-00"


def test_a_new_trace_has_ids_of_its_own():
    first, second = Trace.start(), Trace.start()
    assert Trace.from_header(first.header) == first
    assert first.trace_id != second.trace_id


def test_a_child_keeps_the_trace_and_its_flags():
    child = Trace(TRACE, SPAN, "00").child()
    assert (child.trace_id, child.flags) == (TRACE, "00")
    assert child.span_id != SPAN


def test_a_later_version_may_bring_more_parts():
    assert Trace.from_header(f"01-{TRACE}-{SPAN}-01-more") == Trace(TRACE, SPAN, "01")


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        "",
        "garbage",
        HEADER.upper(),
        HEADER + "-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"{HEADER}\nx",
    ],
)
def test_a_malformed_header_is_no_trace(header):
    assert Trace.from_header(header) is None
