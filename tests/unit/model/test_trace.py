"""A trace is read from and written as a W3C traceparent header."""

from __future__ import annotations

import pytest

from motia_celery.model.trace import Trace, read_baggage, read_state, trace_headers

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


def test_state_and_baggage_go_with_the_place():
    headers = {
        "traceparent": HEADER,
        "tracestate": " a=1 ,\tb@c=2",
        "baggage": "user=ann ; p , x=1",
    }
    place = Trace.read(headers)
    assert place == Trace(TRACE, SPAN, "01", "a=1,b@c=2", "user=ann ; p,x=1")
    child = place.child()
    assert child.headers == {**place.headers, "traceparent": child.header}
    assert place.headers["traceparent"] == HEADER


def test_without_a_place_there_is_no_state_but_baggage():
    headers = {"traceparent": "garbage", "tracestate": "a=1", "baggage": "user=ann"}
    assert Trace.read(headers) is None
    assert trace_headers(headers) == {"baggage": "user=ann"}
    begun = Trace.begin(headers)
    assert (begun.state, begun.baggage) == ("", "user=ann")


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        "",
        "novalue",
        "A=1",
        "a=1,a=2",
        "a=1,b=\u00e9",
        "a=1\r\nx: y",
        ",".join(f"k{n}=1" for n in range(33)),
        f"{'k' * 257}=1",
        f"k={'v' * 257}",
    ],
)
def test_a_state_with_a_malformed_member_is_dropped_as_a_whole(state):
    assert read_state(state) == ""


def test_of_a_long_state_the_long_members_go_first_then_the_last():
    short, long = [f"k{n}={'v' * 30}" for n in range(20)], f"long={'v' * 200}"
    kept = read_state(",".join([long, *short]))
    assert len(kept) <= 512
    assert kept == ",".join(short[: len(kept.split(","))])
    assert len(kept.split(",")) > 10


@pytest.mark.parametrize(
    ("baggage", "kept"),
    [
        (None, ""),
        (7, ""),
        ("a=1", "a=1"),
        ("a=1;p=2;q,b=%20x", "a=1;p=2;q,b=%20x"),
        ("a=1,no value,b=2", "a=1,b=2"),
        ("a=1,b=\u00e9,c=3", "a=1,c=3"),
        ('a=1,b="quoted",c="', "a=1"),
        ("a=1\r\nx: y", ""),
        ("a = 1", "a = 1"),
    ],
)
def test_malformed_members_of_baggage_are_left_out(baggage, kept):
    assert read_baggage(baggage) == kept


def test_baggage_is_capped_at_whole_members():
    assert len(read_baggage(",".join(f"k{n}=1" for n in range(100))).split(",")) == 64
    long = ",".join(f"k{n}={'v' * 1000}" for n in range(20))
    assert read_baggage(long) == ",".join(long.split(",")[:8])
    assert read_baggage(f"k={'v' * 9000},a=1") == ""
