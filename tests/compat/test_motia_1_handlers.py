"""Contexts and handlers of Motia 1.0: section 14.3."""

from __future__ import annotations

from typing import Any

import pytest
from compat.rules import rule
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from motia_celery.observe import tracing
from motia_celery.plan.topology import Names
from motia_celery.testing import StepTester

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def all_seen(app: StepTester, method: str) -> dict[str, Any]:
    """What the Step saw of each kind of trigger."""
    await app.client.request(method, "/seen/7", json={"n": 1})
    await app.emit("seen", {"n": 2})
    await app.tick("Seen")
    await app.settle()
    return {line.data.pop("type"): line.data for line in await app.logs("info")}


@rule(
    "14.3", "`ctx.trigger` has `type` (http, queue, cron, …) and `index`, its place in `triggers`"
)
@rule("14.3", "`ctx.trigger` has `method` and `path`, `topic`, or `expression`")
@rule("14.3", "Python asks `ctx.is_api()`, `is_queue()`, `is_cron()`, `is_state()`, `is_stream()`")
@rule("14.3", "`ctx.get_data()` is the body of a request, an event's data, and None for a cron")
async def test_the_context_says_what_started_it(app: StepTester) -> None:
    async with app:
        seen = await all_seen(app, "GET")
    yes = [[n == which for n in range(5)] for which in range(3)]
    http = ["GET", "/seen/:id", None, None]
    assert seen == {
        "http": {"index": 0, "place": http, "is": yes[0], "data": {"n": 1}},
        "queue": {"index": 1, "place": [None, None, "seen", None], "is": yes[1], "data": {"n": 2}},
        "cron": {"index": 2, "place": [None] * 3 + ["0 0 9 * * *"], "is": yes[2], "data": None},
    }


@rule(
    "14.3",
    "TypeScript has `ctx.trigger`, `ctx.is.http(input)` and the like, `getData()`, `traceId`",
)
async def test_the_context_of_typescript_says_so_too(app: StepTester) -> None:
    async with app:
        seen = await all_seen(app, "POST")
    yes = [[n == which for n in range(5)] for which in range(3)]
    assert seen == {
        "http": {"index": 0, "is": yes[0], "data": {"n": 1}, "trace": True},
        "queue": {"index": 1, "is": yes[1], "data": {"n": 2}, "trace": True},
        "cron": {"index": 2, "is": yes[2], "data": None, "trace": True},
    }


@rule("14.3", "`ctx.match({'http': …, 'queue': …, 'default': …})` calls the one for the trigger")
@rule("14.3", "Functions of `match` get the input, `default` those that are not named")
async def test_match_chooses_by_the_trigger(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/matched?name=ann")
        await app.emit("matched", 1)
        await app.tick("Matched")
        await app.settle()
        told = [(line.message, line.data) for line in await app.logs("info")]
    assert answer.json() == {"name": "ann"}
    assert sorted(told) == [("default", {"data": None}), ("queue", {"data": 1})]


@rule("14.3", "In Python `match` without a function for the trigger raises")
async def test_match_needs_a_function(app: StepTester) -> None:
    async with app:
        await app.emit("matched", 1)
        await app.settle()
        run = await app.run("Matched")
    assert run.status == "failed" and run.error and "queue" in run.error.message


@rule("14.3", "TypeScript's `ctx.match({ http, queue, cron, … })` calls the one for the trigger")
async def test_match_in_typescript(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/matched", json={"n": 1})
        await app.emit("matched", {"n": 2})
        await app.tick("Matched")
        await app.settle()
        told = {line.message: line.data for line in await app.logs("info")}
    assert (answer.status_code, answer.json()) == (201, {"n": 1})
    assert told["queue"] == {"n": 2} and "cron" in told


@rule("14.3", "A handler takes `(input, ctx)`, or the input alone")
async def test_handlers_take_what_they_need(app: StepTester) -> None:
    async with app:
        names = ("one", "two", "none", "three")
        got = [(await app.client.post(f"/{name}", json={"a": 1})).json() for name in names]
    assert got == [{"one": {"a": 1}}, {"two": {"a": 1}}, {"none": True}, {"three": {"a": 1}}]


@rule("14.3", "A handler of crons takes `(input, ctx)` with no input, or the context alone")
async def test_crons_take_a_context_or_both(app: StepTester) -> None:
    async with app:
        for step in ("Alone", "Both", "Third"):
            await app.tick(step)
        await app.settle()
        told = {line.message: line.data for line in await app.logs("info")}
    assert told == {"alone": {"type": "cron"}, "both": {"input": None}, "third": {"input": None}}


@rule("14.3", "In Python a handler may be a plain `def`, in which calls give their values")
async def test_plain_functions_are_handlers_too(app: StepTester) -> None:
    async with app:
        first = await app.client.post("/users/7/status", json={"status": "away"})
        second = await app.client.post("/users/7/status", json={"status": "here"})
    away, here = {"status": "away"}, {"status": "here"}
    assert first.json() == {"before": None, "old_value": None, "new_value": away}
    assert second.json() == {"before": away, "old_value": away, "new_value": here}


@rule(
    "14.3",
    "Python's `enqueue`, `stateManager` and `Stream` give values",
    better="with `await` and without it, so that code for any 1.0 version runs",
)
async def test_values_come_with_await_and_without(app: StepTester) -> None:
    async with app:
        assert (await app.client.post("/count")).json() == [0, 1, 1, 1]
        assert (await app.client.post("/count")).json() == [1, 2, 2, 2]
        assert [one.data for one in await app.emits("counted")] == [{"count": 1}, {"count": 2}]


@rule("14.3", "As in early versions of 1.0, `ctx` has `enqueue`, `state`, `streams` and `logger`")
@rule("14.3", "`ctx.state.get` gives what is stored, and None where there is nothing")
async def test_early_contexts_have_it_all(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/early", json={"id": "n1"})
        await app.settle()
        again = await app.client.post("/early", json={"id": "n2"})
        (late,) = [line for line in await app.logs("info") if line.message == "Late"]
        assert [one.data for one in await app.emits("late")] == ["n1"]
    assert answer.status_code == 202
    assert again.json() == {"last": "n1", "data": False}
    assert late.data == {"same": True}


@rule("14.3", "A request's `traceparent` is continued; all runs from one cause share the trace id")
async def test_one_trace_goes_through_all(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/begin", headers={"traceparent": TRACEPARENT})
        await app.settle()
        (line,) = await app.logs("info")
    assert answer.json()["trace"] == line.data["trace"] == TRACEPARENT.split("-")[1]


@rule(
    "14.3",
    "The span of a request is named `step:<name>`",
    different="it is `POST /orders`, by OpenTelemetry's conventions; [tracing](tracing.md) has all",
)
async def test_spans_are_named_by_conventions(
    app: StepTester, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    process = tracing._Process(system="memory", names=Names("shop"), tracer=tracer)
    monkeypatch.setattr(tracing, "_process", process)
    async with app:
        await app.client.post("/orders", json={})
    names = {span.name for span in exporter.get_finished_spans()}
    assert names == {"POST /orders"}


@rule("14.3", "A module is loaded once and stays: what a handler leaves in it is there next time")
async def test_modules_stay_loaded(app: StepTester) -> None:
    async with app:
        assert [(await app.client.get("/count")).json() for _ in range(3)] == [1, 2, 3]


@rule(
    "14.3", "A run of a queue that fails is tried `maxRetries` times again: 3 where nothing is said"
)
@rule("14.3", "A request whose handler fails is answered with a 500")
async def test_failed_runs_are_tried_again(app: StepTester) -> None:
    async with app:
        await app.emit("fail", {})
        await app.settle()
        assert (await app.client.get("/fail")).status_code == 500
        assert len(await app.logs("info")) == 5
        (queued,) = [run for run in await app.runs("Fail") if run.trigger == "event"]
    assert (queued.status, queued.attempts) == ("failed", 4)
