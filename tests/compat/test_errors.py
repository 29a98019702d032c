"""What becomes of errors, and of requests that no Step answers: section 3.6."""

from __future__ import annotations

from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester


@rule(
    "3.6",
    'A handler that raises answers 500 with `{"error": "Internal server error"}`, and its message '
    "does not reach the client",
)
@rule("3.6", "The failed run's record has the error with its message and stack, and its log lines")
async def test_a_handler_that_raises_is_a_500(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/fail")
        await app.settle()
        run = await app.run("Fail")
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert run.status == "failed"
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("ValueError", "secret detail")
    assert "fail_step.py" in str(run.error.traceback)
    assert [line.message for line in run.logs] == ["about to fail"]


@rule(
    "3.6",
    "`sys.exit` in a Python Step, or an error where nobody waits for it in TypeScript, fails the "
    "run, and no other",
)
@rule("3.6", "What is thrown in TypeScript need not be an `Error`")
@rule(
    "3.6",
    "A body that JSON can not hold, such as a circle, answers the 500; so does an emit of one",
)
async def test_handlers_that_end_oddly(app: StepTester) -> None:
    async with app:
        thrown = ("text", "nothing", "reject", "circle", "bigint", "emit", "later")
        failed = [await app.client.get(f"/odd/{name}") for name in thrown]
        failed += [await app.client.get(path) for path in ("/exit", "/exit/plain", "/stop")]
        caught = await app.client.get("/odd/state")
        fine = await app.client.get("/odd/fine")
        await app.emit("exit", {})
        await app.settle()
        run = await app.run("ExitEvent")
        first = (await app.runs("OddThrow"))[0]
    for answer in failed:
        assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})
    assert (caught.status_code, fine.status_code) == (422, 200)
    assert (run.status, run.attempts) == ("failed", 2)
    assert first.error is not None
    assert first.error.message == "just text"


@rule("3.6", "A handler that returns nothing, or something empty, answers the same 500")
async def test_a_handler_that_returns_nothing_is_a_500(app: StepTester) -> None:
    async with app:
        answers = [await app.client.get(f"/nothing/{kind}") for kind in ("none", "empty")]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})


@rule(
    "3.6",
    "An event handler that raises is tried again, three times where its config says nothing",
    better="The dead letter that is left in the end can be replayed",
)
async def test_an_event_handler_that_raises_is_tried_again(app: StepTester) -> None:
    async with app:
        await app.emit("flaky.start", {"id": "a", "succeeds_at": 4})
        (won,) = await app.settle()
        await app.emit("flaky.start", {"id": "b", "succeeds_at": 5})
        (lost,) = await app.settle()
        (letter,) = await app.dead_letters("Flaky")
        await app.replay(letter)
        await app.settle()
        replayed = next(run for run in await app.runs("Flaky") if run.id == lost.id)
    assert (won.status, won.attempts) == ("completed", 4)
    assert (lost.status, lost.attempts) == ("failed", 4)
    assert lost.error is not None
    assert lost.error.message == "try 4 failed"
    assert replayed.status == "completed"


@rule("3.6", "A cron handler that raises is logged, and not tried again")
async def test_a_cron_handler_that_raises_is_only_logged(app: StepTester) -> None:
    async with app:
        await app.tick("Nightly")
        (run,) = await app.settle()
    assert (run.status, run.attempts) == ("failed", 1)
    assert run.error is not None
    assert run.error.message == "no disk left"


@rule("3.6", "What goes wrong with state or a stream is raised where it was called")
async def test_errors_of_calls_are_raised_in_the_handler(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/save")
    state, stream = answer.json()["problems"]
    assert "files" in state
    assert "unknown" in stream


@rule(
    "3.6",
    "Calls of state and streams that are not awaited may be lost at the handler's end",
    better="They are finished before the run ends, and one that fails fails the run",
)
async def test_calls_that_are_not_awaited(app: StepTester) -> None:
    async with app:
        await app.emit("hurry", {"id": "a"})
        await app.emit("hurry.ts", {"id": "b"})
        runs = {run.step: run.status for run in await app.settle()}
        seen = await app.state.get_group("seen")
        await app.emit("hurry", {"id": "bad"})
        (failed,) = await app.settle()
    assert runs == {"Hurry": "completed", "HurryTs": "completed"}
    assert seen == [{"seen": True}, {"seen": True}]
    assert failed.status == "failed"


@rule(
    "3.6", "An event handler is cut after `infrastructure.handler.timeout` seconds; it has failed"
)
async def test_a_handler_with_a_timeout_is_cut(app: StepTester) -> None:
    async with app:
        await app.emit("slow", {})
        (run,) = await app.settle()
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.type == "RunTimeoutError"


@rule(
    "3.6",
    "API Steps have no timeout: a client waits for as long as the handler takes",
    different="A request is answered with 504 after `request_timeout_seconds` (30), so that none "
    "holds its connection for ever",
)
async def test_requests_have_no_timeout(project: Path) -> None:
    async with StepTester(project, request_timeout_seconds=0.2) as app:
        answer = await app.client.get("/slow")
    assert (answer.status_code, answer.json()) == (504, {"error": "Gateway Timeout"})


@rule(
    "3.6",
    "A path that no Step has is a 404, or the Workbench's page with status 200 while that runs",
    different="It is always a 404, as JSON: the Workbench has a path of its own",
)
async def test_an_unknown_path_is_a_404(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


@rule(
    "3.6",
    "Another method than that of the Step is a 404",
    better="It is a 405 whose `allow` lists the methods that the path takes",
)
async def test_a_method_without_a_step(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/home")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS, HEAD")


@rule(
    "3.6",
    "The pages of all origins may read what Steps answer, errors too: the responses have "
    "`access-control-allow-origin: *` and the like",
    better="The settings `cors_origins` and `cors_credentials` can say otherwise",
)
@rule(
    "3.6",
    "They may read all other responses too, such as a 404",
    different="They may not: what no Step answers is not theirs",
)
@rule(
    "3.6",
    "Responses say `access-control-allow-credentials: true` beside the origin `*`",
    different="Browsers refuse the two together, so it is only sent where the origins are named",
)
async def test_cors_is_open(project: Path) -> None:
    origin = {"origin": "https://shop.example"}
    async with StepTester(project) as app:
        answers = [await app.client.get(path, headers=origin) for path in ("/home", "/home?fail=1")]
        unknown = await app.client.get("/nowhere", headers=origin)
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == "*"
        assert answer.headers["access-control-allow-headers"] == "*"
        assert answer.headers["access-control-max-age"] == "600"
        assert answer.headers["access-control-allow-private-network"] == "true"
        assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in unknown.headers
    named = ["https://shop.example"]
    async with StepTester(project, cors_origins=named, cors_credentials=True) as app:
        mine = await app.client.get("/home", headers=origin)
        other = await app.client.get("/home", headers={"origin": "https://other.example"})
    assert mine.headers["access-control-allow-origin"] == "https://shop.example"
    assert mine.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in other.headers


@rule("3.6", "`OPTIONS` of a Step's path is answered with 204 and the CORS headers")
@rule(
    "3.6",
    "`OPTIONS` of any other path is answered with 204 too",
    different="It is a 404 there: no page may call what does not exist",
)
async def test_preflights_are_answered(app: StepTester) -> None:
    headers = {"origin": "https://shop.example", "access-control-request-method": "PUT"}
    async with app:
        answer = await app.client.options("/items/7", headers=headers)
        other = await app.client.options("/nowhere", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "*"
    assert other.status_code == 404
