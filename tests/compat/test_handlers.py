"""Handlers, their context, and what they emit: sections 3.1 to 3.3."""

from __future__ import annotations

import asyncio
from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester


@rule("3.1", "A Python handler is `async def`: `(req, context)` of api Steps, which returns a dict")
@rule("3.1", "`(input, context)` of event Steps, and `(context)` of cron Steps")
async def test_async_handlers_in_python(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/tickets", json={"title": "Help"})
        await app.settle()
        opened = await app.state.get("tickets", "Help")
        await app.tick("SweepTickets")
        await app.settle()
        swept = await app.state.get("tickets", "Help")
    assert (answer.status_code, answer.json()) == (201, {"ok": True})
    assert (opened, swept) == ({"open": True}, None)


@rule("3.1", "Arguments are passed by position, so that their names are free")
async def test_parameter_names_are_free(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/echo", json={"n": 1})
        await app.tick("Clock")
        runs = await app.settle()
        heard = await app.state.get("heard", "last")
    assert answer.json() == heard == {"n": 1}
    assert {run.status for run in runs} == {"completed"}


@rule(
    "3.1",
    "A plain `def` handler in Python fails",
    better="It runs, in a thread; calls of its context give their values at once",
)
async def test_handlers_that_are_not_async(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/price")
        await app.settle()
        noted = await app.state.get("notes", "lamp")
    assert (answer.json(), noted) == ({"price": 5}, {"seen": True})


@rule(
    "3.1",
    "A Python handler takes all its arguments",
    better="It may leave out the context, or both",
)
async def test_handlers_that_leave_arguments_out(app: StepTester) -> None:
    async with app:
        answers = [await app.client.get("/ping"), await app.client.post("/body", json={"a": 1})]
    assert [answer.json() for answer in answers] == [{"pong": True}, {"a": 1}]


@rule(
    "3.1",
    "An `async def` handler may block, with `time.sleep` or a library that waits: it has a process "
    "of its own",
    different="It holds up the others of its process meanwhile. A plain `def` handler, which has a "
    "thread, or an `isolated` Step may block",
)
async def test_handlers_that_block(project: Path, tmp_path: Path) -> None:
    async def heard(name: str, seconds: float, *, isolated: bool) -> bool:
        (tmp_path / name).mkdir()
        folder = str(tmp_path / name)
        settings = {"isolated_steps": isolated, "request_timeout_seconds": 120}
        async with StepTester(project, **settings) as app:
            answer, _ = await asyncio.gather(
                app.client.post("/wait", json={"folder": folder, "seconds": seconds}),
                app.client.post("/tell", json={"folder": folder}),
            )
        return bool(answer.json()["heard"])

    assert await heard("together", 0.1, isolated=False) is False
    assert await heard("apart", 90, isolated=True) is True


@rule(
    "3.1",
    "In TypeScript and JavaScript handlers are `(req, ctx)`, `(input, ctx)` and `(ctx)`, async or "
    "not, exported by name, by default or by `module.exports`",
)
@rule(
    "3.2",
    "In TypeScript the context has `traceId`, `flows`, `emit`, `state`, `streams` and `logger`, "
    "which has `info`, `warn`, `error`, `debug` and `addListener`",
)
async def test_handlers_in_typescript(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"item": "lamp"})
        await app.settle()
        trace_id = answer.json()["traceId"]
        order = await app.state.get("orders", trace_id)
        packed = await app.state.get("packed", "lamp")
        await app.tick("Report")
        await app.settle()
        report = await app.streams.get("reports", "daily", "r1")
        other = await app.streams.get("reports", "daily", "r2")
        archived = await app.state.get("archive", "report")
        logs = [(line.level, line.message, line.data) for line in await app.logs()]
    assert order == {"item": "lamp"}
    assert packed == {"traceId": trace_id, "flows": ["orders"]}
    assert (report["lines"], other["lines"]) == ([["info", "Reporting"]], [])
    assert archived == {"lines": [["info", "Reporting"]]}
    assert logs == [
        ("info", "Creating", {"item": "lamp"}),
        ("warn", "Packing lamp", None),
        ("error", "nothing wrong", None),
        ("info", "Reporting", None),
    ]


@rule(
    "3.1",
    "In Ruby `config` and `handler` are methods, input and requests are read by `.name`, and the "
    "context has `emit`, `state`, `logger`, `flows` and the trace id in both spellings",
    better="Ruby Steps have streams and middleware as well",
)
async def test_handlers_in_ruby(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/greet/ada", json={"text": "Hello"})
        silent = await app.client.post("/greet/bob", json={})
        await app.settle()
        counted = await app.state.get("counted", "ada")
        run = (await app.runs("GreetRuby"))[0]
        greeting = await app.state.get("greetings", "ada")
        told = await app.streams.get("greetings", "all", "ada")
    assert answer.json() == {"greeted": "Hello", "flows": ["ruby"], "same": True}
    assert told["text"] == "Hello"
    assert silent.status_code == 422
    assert counted == {"trace": run.trace_id}
    assert greeting == {"text": "Hello"}
    assert [line.message for line in run.logs] == ["Greeting"]


@rule(
    "3.2",
    "In Python the context has `trace_id`, `flows`, `emit`, `state`, `logger`, and `streams`, "
    "whose streams are attributes and keys",
)
async def test_the_context_in_python(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/members")
        await app.settle()
        run = await app.run("Members")
        items = await app.streams.get_group("updates", "all")
        emits = await app.emits("told")
    assert answer.json() == {"trace": run.trace_id, "flows": ["one", "two"]}
    assert [item["text"] for item in items] == ["attribute", "key"]
    assert [emit.data for emit in emits] == [{"n": 1}]


@rule(
    "3.2",
    "A Python handler finds the trace id as `trace_id` alone, and does not learn which attempt it "
    "is, or what topic it was called for",
    better="It is `traceId` too, and there are `attempt`, `max_attempts`, `topic` and `run_id`",
)
async def test_names_of_the_context_in_both_spellings(app: StepTester) -> None:
    async with app:
        await app.emit("job", {})
        await app.settle()
        assert await app.state.get("job", "ids") == {"same": True}
        told = await app.state.get("job", "run")
        run = await app.run("Job")
    assert told == {"attempt": 2, "of": 4, "topic": "job", "id": run.id}


@rule(
    "3.2",
    "The logger has `info`, `warn`, `error` and `debug`, with a message and a dict, an object "
    "(whose attributes are logged) or any value (logged as `data`) beside it",
)
async def test_the_logger_takes_any_value(project: Path) -> None:
    async with StepTester(project, log_level="debug") as app:
        await app.emit("log", {})
        await app.settle()
        logs = [(line.level, line.message, line.data) for line in await app.logs()]
    assert logs == [
        ("info", "Message alone", None),
        ("info", "Dict", {"id": 1}),
        ("warn", "Object", {"amount": 5, "currency": "EUR"}),
        ("error", "Text", {"data": "why"}),
        ("error", "List", {"data": [1, 2]}),
        ("debug", "Number", {"data": 3}),
    ]


@rule(
    "3.2",
    "The Python logger has no `warning` and no `log`: Steps that call them fail",
    better="Both are there, and lines of Python's own `logging` belong to the run as well",
)
async def test_the_logger_has_names_of_pythons_logging(app: StepTester) -> None:
    async with app:
        await app.emit("log", {})
        (run,) = await app.settle()
    assert run.status == "completed"
    assert [(line.level, line.message) for line in run.logs] == [
        ("warn", "Slow"),
        ("info", "Logged"),
        ("warn", "From a library"),
    ]


@rule("3.3", "A topic may be emitted that `emits` lists, as text or as an object's `topic`")
async def test_emits_that_are_declared(app: StepTester) -> None:
    async with app:
        for n in (1, 2):
            await app.emit("number", {"n": n})
        runs = await app.settle()
    heard = {run.step: run.input for run in runs if run.step != "Split"}
    assert heard == {"Odd": {"n": 1}, "Even": {"n": 2}}


@rule("3.3", "Empty `emits` allow every topic")
async def test_empty_emits_allow_every_topic(app: StepTester) -> None:
    async with app:
        await app.emit("incoming", {"to": "audit.entry"})
        await app.settle()
        assert await app.state.get("audit", "entry") == {"from": "router"}


@rule(
    "3.3",
    "An emit of a topic that `emits` does not list sends nothing; it is a warning, and no error",
    better="The setting `strict_emits` makes it an error",
)
async def test_undeclared_topics_are_dropped(project: Path) -> None:
    async with StepTester(project) as app:
        answer = await app.client.post("/pay", json={})
        heard = [run.step for run in await app.settle() if run.trigger == "event"]
        (warning,) = await app.logs("warn")
    async with StepTester(project, strict_emits=True) as app:
        strict = await app.client.post("/pay", json={})
    assert (answer.status_code, heard) == (200, ["Done"])
    assert "payment.secret" in warning.message
    assert strict.status_code == 500


@rule(
    "3.3",
    "A topic that no Step hears may be emitted: the event is dropped, and a warning names the "
    "topic when the project is read",
)
async def test_topics_that_nobody_hears(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/shout", json={})
        runs = await app.settle()
        problems = [problem.what for problem in app.plan.problems]
    assert answer.status_code == 200
    assert [run.step for run in runs] == ["Shout"]
    assert problems == ["nobody hears the topic 'shouted.into.the.void' that 'Shout' emits"]


@rule(
    "3.3",
    "A topic, and a Step's name, may hold slashes, spaces and other signs, but no colon where the "
    "queue is BullMQ",
    better="Colons do no harm",
)
async def test_topics_of_any_form(app: StepTester) -> None:
    async with app:
        assert app.plan.problems == ()
        answer = await app.client.post("/like")
        runs = await app.settle()
        heard = sorted(line.message for line in await app.logs())
    assert answer.status_code == 202
    assert heard == ["Post Liked", "like:sync", "notify/users", "order_v2.created-now"]
    assert {run.status for run in runs} == {"completed"}


@rule("3.3", "The data of an event is any JSON value, or none at all")
async def test_data_of_any_kind(app: StepTester) -> None:
    async with app:
        await app.emit("send", {})
        await app.settle()
        got = [line.data["value"] for line in await app.logs()]
    wanted = [{"a": {"b": [1, None]}}, [1, 2], "text", 7, 1.5, True, None, None]
    assert sorted(map(repr, got)) == sorted(map(repr, wanted))


@rule("3.3", "Every Step that subscribes to a topic gets each of its events, as it was emitted")
@rule("3.3", "An event's trace is that of its emitter; `context.flows` are the Step's own")
async def test_every_subscriber_gets_the_event(app: StepTester) -> None:
    async with app:
        await app.client.post("/orders", json={"id": "o1"})
        runs = await app.settle()
        shipped = await app.state.get("shipped", "o1")
        billed = await app.state.get("flows", "bill")
    assert sorted(run.step for run in runs) == ["Bill", "Place", "Ship"]
    assert len({run.trace_id for run in runs}) == 1
    assert (shipped, billed) == ({"of": ["shipping"]}, {"of": ["billing"]})


@rule(
    "3.3",
    "`{'type': …}` in place of `{'topic': …}`, as very old projects have it, sends nothing",
    better="It is an error that says what an emit needs",
)
async def test_emits_without_a_topic(app: StepTester) -> None:
    async with app:
        await app.emit("old", {})
        (run,) = await app.settle()
    assert run.status == "failed"
    assert run.error is not None
    assert "an emit needs a topic" in run.error.message


@rule(
    "3.3",
    "An emit is sent at once: it stays sent where the handler fails afterwards, and is sent again "
    "by each attempt",
    better="Each attempt's event has the same id, so that the runs behind it are the same ones",
)
async def test_emits_that_fail_later(app: StepTester) -> None:
    async with app:
        await app.emit("both", {})
        runs = await app.settle()
        emits = await app.emits("first")
    assert [(run.status, run.attempts) for run in runs if run.step == "Both"] == [("failed", 4)]
    assert len([run for run in runs if run.step == "First"]) == 1
    assert len(emits) == 4
    assert len({emit.id for emit in emits}) == 1


@rule(
    "3.3",
    "In TypeScript `emit({ topic, data, messageGroupId })` is awaited, or several at once, by the "
    "same rules",
)
async def test_emits_in_typescript(app: StepTester) -> None:
    async with app:
        await app.emit("ts.start", {})
        await app.settle()
        got = [line.data["value"] for line in await app.logs("info")]
        warnings = [line.message for line in await app.logs("warn")]
    assert {"n": [1, None]} in got
    assert sorted(value for value in got if isinstance(value, int)) == [1, 2]
    assert len(got) == 3
    assert "ts.undeclared" in warnings[0]
