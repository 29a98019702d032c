"""What made-up apps are made of: a shop with all that a page can show, and a very large app."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from browser.made_app import Letter, Made

from motia_celery.broker.inspection import Active, Worker
from motia_celery.model.problem import Problem
from motia_celery.model.run import RunError
from motia_celery.model.step import (
    CronTrigger,
    Emit,
    EventTrigger,
    HttpTrigger,
    QueueOptions,
    Rate,
    Step,
    Stream,
)
from motia_celery.workbench.shapes.runs import (
    Attempt,
    ErrorView,
    LogLine,
    Payload,
    RunDetail,
    Span,
)

ORDER_SCHEMA = {
    "type": "object",
    "properties": {
        "item": {"type": "string", "title": "Item", "description": "What was bought"},
        "count": {"type": "integer", "default": 1, "minimum": 1},
        "gift": {"type": "boolean"},
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        },
        "tags": {"type": "array", "items": {"type": "string"}},
        "speed": {"enum": ["slow", "fast"]},
    },
    "required": ["item"],
}
ORDER = {"item": "tea", "count": 2, "address": {"street": "4 Quay", "city": "Oslo"}}
ERROR = ErrorView(
    type="CardDeclined",
    message="the bank of the card says no: insufficient funds (code 51)",
    where="steps/charge_step.py:14",
    traceback="Traceback (most recent call last):\n"
    '  File "steps/charge_step.py", line 14, in handler\n'
    '    raise CardDeclined("the bank of the card says no: insufficient funds (code 51)")\n',
)
SOURCE = """from app import bank

config = {
    "type": "event", "name": "charge", "subscribes": ["order.created"],
    "emits": ["order.paid", "order.declined"], "flows": ["orders"],
}


class CardDeclined(Exception):
    \"\"\"The bank says no.\"\"\"


async def handler(order, context):
    raise CardDeclined("the bank of the card says no: insufficient funds (code 51)")
"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GOOD_TRACE = "0af7651916cd43dd8448eb211c80319c"
NOW_MS = time.time() * 1000


def step(name: str, *triggers: Any, language: str = "python", **fields: Any) -> Step:
    """A Step in a file of its name."""
    end = "_step.py" if language == "python" else f".step.{language[0]}s"
    kept: dict[str, Any] = {"flows": ("orders",), **fields}
    file = f"steps/{name.replace('/', '-')}{end}"
    return Step(name=name, file=file, language=language, triggers=triggers, id=name, **kept)  # type: ignore[arg-type]


def _emits(*topics: str) -> tuple[Emit, ...]:
    return tuple(Emit(topic=topic) for topic in topics)


SHOP_STEPS = (
    step(
        "place-order",
        HttpTrigger(method="POST", path="/orders/:shop", body_schema=ORDER_SCHEMA),
        emits=_emits("order.created"),
        description="Takes an order of a customer, and answers before it is paid.",
    ),
    step("get-order", HttpTrigger(method="GET", path="/orders/:id"), language="typescript"),
    step(
        "charge",
        EventTrigger(topics=("order.created",), input_schema=ORDER_SCHEMA),
        emits=(
            Emit(topic="order.paid", label="paid"),
            Emit(topic="order.declined", label="declined", conditional=True),
        ),
    ),
    step(
        "send-the-customer-a-very-long-confirmation",
        EventTrigger(topics=("order.paid",)),
        language="typescript",
        flows=("orders", "mail"),
    ),
    step(
        "ship",
        EventTrigger(topics=("order.paid",), queue=QueueOptions(type="fifo", partitions=4)),
        emits=_emits("order.shipped"),
        virtual_emits=_emits("handed to the courier"),
        language="javascript",
    ),
    step(
        "refund",
        EventTrigger(
            topics=("order.declined",),
            queue=QueueOptions(concurrency=3, rate=Rate(count=10, seconds=1)),
        ),
    ),
    step("audit", EventTrigger(topics=("order.*",)), flows=("audit",)),
    step("courier", virtual_subscribes=("handed to the courier",), description="A man on a bike"),
    step(
        "nightly-report",
        CronTrigger(expression="0 3 * * *", timezone="Europe/Rome"),
        flows=("audit",),
        description="Adds up the day.",
    ),
    step("sweep", CronTrigger(expression="*/10 * * * *"), flows=("audit",)),
)
SHOP_PROBLEMS = (
    Problem(
        what="`emits` names 'order.payed', which no Step subscribes to.",
        fix="Did you mean 'order.paid'? Or set `virtualEmits`, if it is heard elsewhere.",
        file="steps/charge_step.py",
        line=4,
        severity="warning",
    ),
    Problem(
        what="SyntaxError: '(' was never closed",
        fix="Mend the file; the other Steps run meanwhile.",
        file="steps/a_folder_with_a_long_name/another_folder/broken_step.py",
        line=12,
    ),
)


def _run(name: str, status: str, ago_ms: float, took_ms: float | None, **fields: Any) -> RunDetail:
    start = NOW_MS - ago_ms
    number = fields.pop("number", int(ago_ms))
    kept: dict[str, Any] = {
        "trigger": "event",
        "topic": "order.created",
        "trace_id": f"{number:032x}",
        "flows": ("orders",),
        **fields,
    }
    return RunDetail(
        id=f"{name}-{number}",
        step=name,
        status=status,  # type: ignore[arg-type]
        queued_at=start - 12,
        started_at=start,
        ended_at=None if took_ms is None else start + took_ms,
        wait_ms=12,
        duration_ms=took_ms,
        **kept,
    )


def _failed(ago_ms: float, trace: str) -> RunDetail:
    start = NOW_MS - ago_ms
    tries = tuple(
        Attempt(
            number=number,
            status="failed",
            worker="celery@worker-1",
            started_at=start + 900 * (number - 1),
            ended_at=start + 900 * (number - 1) + 130,
            error=ERROR,
        )
        for number in (1, 2, 3)
    )
    return _run(
        "charge",
        "failed",
        ago_ms,
        1930,
        trace_id=trace,
        number=7,
        parent_id="place-order-7",
        attempt=3,
        max_attempts=3,
        error=ERROR,
        attempts=tries,
        input=Payload(value=ORDER, masked=True),
        can_rerun=True,
    )


def _shop_runs() -> Iterator[RunDetail]:
    yield _run("refund", "running", 4_000, None, topic="order.declined", can_rerun=True)
    yield _run("sweep", "retrying", 9_000, None, trigger="cron", topic=None, attempt=2)
    yield _failed(20_000, TRACE)
    yield _run(
        "place-order",
        "completed",
        20_100,
        61,
        trace_id=TRACE,
        number=7,
        trigger="http",
        topic=None,
        input=Payload(value={"body": ORDER, "headers": {"x": "y"}}),
        output=Payload(value={"status": 202, "body": {"id": "o-7"}}),
    )
    yield _run("audit", "cancelled", 31_000, 2, topic="order.created", flows=("audit",))
    for number, name in enumerate(("ship", "send-the-customer-a-very-long-confirmation", "charge")):
        ago = 60_000 - 40 * number
        yield _run(name, "completed", ago, 35.5, trace_id=GOOD_TRACE, topic="order.paid")
    for number in range(12):
        yield _run("audit", "completed", 120_000 + 61_000 * number, 3.25 + number, flows=("audit",))


def _spans(trace: str) -> Sequence[Span]:
    if trace != TRACE:
        return ()
    start = NOW_MS - 20_100
    request = ("place-order-7", None, "request", "place-order", 0, 61)
    charge = ("charge-7", "place-order-7", "run", "charge", 100, 2030)
    rest = [
        ("s1", "place-order-7", "state", "set orders", 8, 14),
        ("s2", "place-order-7", "emit", "order.created", 20, 31),
        ("w0", "charge-7", "wait", "in its queue", 31, 100),
        ("a1", "charge-7", "attempt", "attempt 1", 100, 230),
        ("w1", "charge-7", "wait", "for the next attempt", 230, 1000),
        ("a2", "charge-7", "attempt", "attempt 2", 1000, 1130),
        ("a3", "charge-7", "attempt", "attempt 3", 1900, 2030),
        ("s3", "a3", "stream", "set orders.open", 1910, 1911),
    ]
    return [
        Span(
            id=id,
            parent_id=parent,
            run_id=id if kind in ("request", "run") else str(parent),
            kind=kind,  # type: ignore[arg-type]
            name=name,
            started_at=start + begin,
            ended_at=start + end,
            status="error" if id.startswith(("charge", "a")) else "ok",
            details={"group": "orders"} if kind == "state" else {},
        )
        for id, parent, kind, name, begin, end in (request, charge, *rest)
    ]


def lines(count: int, first: int = 0) -> tuple[LogLine, ...]:
    """Log lines, newest first."""
    levels: tuple[Any, ...] = ("info", "debug", "warn", "error")
    return tuple(
        LogLine(
            id=f"{number:012d}",
            at=NOW_MS - 10_000_000 + number * 1000,
            level=levels[number % 4],
            message=f"Line {number}: an order of tea was looked at, and put where it belongs",
            step=SHOP_STEPS[number % 7].name,
            flows=("orders",),
            run_id="charge-7",
            trace_id=TRACE,
            fields={"order": f"o-{number}", "nested": {"items": [1, 2]}} if number % 3 else {},
        )
        for number in range(first + count - 1, first - 1, -1)
    )


_DECLINED = RunError(ERROR.type, ERROR.message, ERROR.where, ERROR.traceback)
SHOP = Made(
    steps=SHOP_STEPS,
    streams=(Stream(name="orders", file="steps/orders_stream.py", language="python"),),
    problems=SHOP_PROBLEMS,
    runs=tuple(_shop_runs()),
    lines=lines(20),
    spans=_spans,
    workers=(
        Worker(
            name="celery@worker-1.shop.example",
            pid=4711,
            pool="async",
            concurrency=10,
            uptime_seconds=93_784,
            completed=123_456,
            queues=("made.q.charge", "made.q.refund", "made.q.audit"),
            runs=(Active(id="refund-4000", step="refund", started_at=NOW_MS / 1000 - 4),),
        ),
        Worker(
            name="celery@worker-2.shop.example",
            pid=4712,
            pool="prefork",
            concurrency=4,
            uptime_seconds=60,
            completed=0,
            queues=(),
            runs=(),
        ),
    ),
    letters=(
        *(Letter("charge", "order.created", {**ORDER, "n": n}, _DECLINED, 3) for n in range(3)),
        Letter("audit", "order.paid", {"id": 7}, RunError("KeyError", "'total'")),
    ),
    paused=("ship",),
    state=(
        ("orders", "o-7", ORDER),
        ("orders", "o-8", {**ORDER, "item": "coffee"}),
        ("orders", "a-very-long-key-that-does-not-end-before-the-column-does-0123456789", 1),
        ("stock", "tea", 41),
        ("stock", "note", "There is <b>no</b> more of it"),
    ),
    items=(
        ("orders", "open", "o-7", {"item": "tea", "status": "waits"}),
        ("orders", "open", "o-8", {"item": "coffee", "status": "is packed"}),
        ("orders", "done", "o-1", {"item": "cake", "status": "eaten"}),
    ),
    sources={"charge": SOURCE},
)

#: As many Steps, runs and lines as the page must bear.
MANY_STEPS, MANY_RUNS, MANY_LINES = 300, 10_000, 10_000


def large() -> Made:
    """An app with very many Steps and runs."""
    steps = tuple(
        step(
            f"step-{number}",
            EventTrigger(topics=(f"t.{number}",)),
            emits=_emits(f"t.{2 * number + 1}", f"t.{2 * number + 2}"),
            flows=(f"flow-{number % 10}",),
        )
        for number in range(MANY_STEPS)
    )
    runs = tuple(
        _run(
            f"step-{number % MANY_STEPS}",
            "failed" if number % 10 == 0 else "completed",
            1000.0 * number,
            12.5,
            error=ERROR if number % 10 == 0 else None,
        )
        for number in range(MANY_RUNS)
    )
    return Made(steps=steps, runs=runs, lines=lines(500))
