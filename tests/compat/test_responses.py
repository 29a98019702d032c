"""What a client gets, and what becomes of errors: sections 3.5 to 3.8."""

from __future__ import annotations

import re
from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester


@rule("3.5", "A body that is a dict, a list, a number or a bool is sent as JSON in UTF-8")
async def test_json_bodies(app: StepTester) -> None:
    async with app:
        answers = {
            kind: await app.client.get(f"/values/{kind}")
            for kind in ("object", "array", "number", "bool", "empty")
        }
    assert {kind: answer.json() for kind, answer in answers.items()} == {
        "object": {"id": 1, "name": "é", "none": None},
        "array": [1, "two", {"three": 3}],
        "number": 12.5,
        "bool": False,
        "empty": {},
    }
    types = {answer.headers["content-type"] for answer in answers.values()}
    assert types == {"application/json; charset=utf-8"}
    assert answers["object"].headers["content-length"] == str(len(answers["object"].content))


@rule("3.5", "A body that is text is sent as HTML, where the headers name no other type")
async def test_text_is_html(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/page")
    assert (answer.text, answer.headers["content-type"]) == (
        "<h1>Hello</h1>",
        "text/html; charset=utf-8",
    )


@rule("3.5", "A content type among the headers counts, in any case, and text is then sent as it is")
@rule("3.5", "Text and JSON are sent in UTF-8, and their content type says so, whoever gave it")
async def test_text_with_a_type_of_its_own(app: StepTester) -> None:
    async with app:
        csv = await app.client.get("/export/csv")
        listed = await app.client.get("/export/json")
    assert (csv.text, csv.headers["content-type"]) == (
        "sku,price\na,1\n",
        "text/csv; charset=utf-8",
    )
    assert csv.headers["content-disposition"] == 'attachment; filename="x.csv"'
    assert listed.json() == [{"sku": "a", "price": 1}]
    assert listed.headers.get_list("content-type") == ["application/json; charset=utf-8"]


@rule(
    "3.5",
    "A Python handler sends bytes as `{'type': 'Buffer', 'data': [ints]}`, by default as "
    "`application/octet-stream`",
)
async def test_bytes_as_a_buffer(app: StepTester) -> None:
    async with app:
        plain = await app.client.get("/pixel.gif")
        typed = await app.client.get("/pixel.gif?typed=1")
    assert plain.content == typed.content == b"GIF89a\x01\x00\xff"
    assert plain.headers["content-type"] == "application/octet-stream"
    assert typed.headers["content-type"] == "image/gif"


@rule("3.5", "`bytes` as the body of a Python handler fail", better="They are sent")
async def test_bytes_as_they_are(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/pixel.gif")
    assert (answer.status_code, answer.content) == (200, b"GIF89a\x01\x00\xff")
    assert answer.headers["content-type"] == "application/octet-stream"


@rule(
    "3.5",
    "A body must be what `json.dumps` can write",
    better="Models of pydantic, dataclasses, dates, decimals, UUIDs and sets can be sent as well",
)
async def test_what_json_does_not_know(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/invoice")
    assert answer.json() == {
        "line": {"sku": "a"},
        "customer": {"name": "Ada"},
        "total": "1.50",
        "due": "2030-01-31",
        "at": "2030-01-31T00:00:00+00:00",
        "id": "00000000-0000-0000-0000-000000000000",
        "tags": ["x"],
    }


@rule(
    "3.5",
    "A whole number of any size may stand in a body or an event; beyond 2^53 it is rounded",
    different="It is exact up to 64 bits; a larger one is an error, which says so, as it would be "
    "rounded. Send it as text",
)
async def test_very_large_numbers(app: StepTester) -> None:
    async with app:
        answers = [await app.client.get(f"/balance/{where}") for where in ("text", "body", "event")]
        errors = [run.error for run in await app.settle()]
    assert [answer.status_code for answer in answers] == [200, 500, 500]
    assert '"gwei":123000000000' in answers[0].text
    assert errors[2] is not None
    assert "64" in errors[2].message


@rule("3.5", "`headers` are sent; a list as a value sends the header several times")
async def test_response_headers(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/login")
    assert answer.headers.get_list("set-cookie") == ["session=1; HttpOnly", "theme=dark"]
    assert answer.headers["x-request-count"] == "7"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"ok": True}


@rule("3.5", "`status` is the response's status, also of errors and redirects")
async def test_any_status(app: StepTester) -> None:
    async with app:
        answers = [await app.client.get(f"/status/{code}") for code in (201, 302, 404, 418, 503)]
    assert [answer.status_code for answer in answers] == [201, 302, 404, 418, 503]
    assert answers[1].headers["location"] == "/elsewhere"
    assert answers[3].json() == {"code": 418}


@rule("3.5", "Without a `body` the response has none")
async def test_without_a_body(app: StepTester) -> None:
    async with app:
        gone = await app.client.delete("/things/gone")
        kept = await app.client.delete("/things/1")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (kept.status_code, kept.content) == (202, b"")


@rule("3.5", "A response without a `status` is an error: the client gets the 500")
async def test_without_a_status(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/forgetful")
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})


@rule("3.5", "In TypeScript a `Buffer` is sent as bytes, and a list of headers repeated")
@rule("3.5", "In TypeScript what `JSON.stringify` makes of a body is sent; text is HTML")
@rule("3.6", "In TypeScript a handler that throws, or returns nothing, answers the 500")
@rule(
    "3.6",
    "A Step that ends its process fails its run",
    better="`process.exit` in a Step fails its run alone: the process goes on",
)
async def test_responses_in_typescript(app: StepTester) -> None:
    async with app:
        names = ("download", "page", "list", "nothing", "broken", "leave")
        answers = {name: await app.client.get(f"/{name}") for name in names}
        again = await app.client.get("/page")
        await app.settle()
        error = (await app.run("Broken")).error
    assert answers["download"].content == b"%PDF\x00\xff"
    assert answers["download"].headers["content-type"] == "application/pdf"
    assert answers["download"].headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answers["page"].text == "<p>hi</p>"
    assert answers["page"].headers["content-type"] == "text/html; charset=utf-8"
    assert answers["list"].json() == [{"at": "1970-01-01T00:00:00.000Z", "none": None}]
    for name in ("nothing", "broken", "leave"):
        assert answers[name].status_code == 500, name
        assert answers[name].json() == {"error": "Internal server error"}
    assert error is not None
    assert (error.type, error.message) == ("TypeError", "no such report")
    assert again.status_code == 200


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


@rule("3.7", "Each request has a trace id of its own")
@rule("3.7", "Events have the trace id of what emitted them, all along the chain")
async def test_a_trace_id_for_each_request(app: StepTester) -> None:
    async with app:
        ids = [(await app.client.post("/start")).json()["traceId"] for _ in range(2)]
        await app.settle()
        ends = [await app.state.get(trace_id, "end") for trace_id in ids]
        runs = await app.runs()
    assert len(set(ids)) == 2
    assert ends == [{"middle": trace_id} for trace_id in ids]
    for trace_id in ids:
        assert {run.step for run in runs if run.trace_id == trace_id} == {"Start", "Middle", "End"}


@rule("3.7", "Each tick of a cron Step has a trace id of its own, which its events have too")
async def test_a_trace_id_for_each_tick(app: StepTester) -> None:
    async with app:
        await app.advance(120)
        runs = await app.settle()
    ticks = {run.trace_id for run in runs if run.step == "Tick"}
    assert len(ticks) == 2
    assert {run.trace_id for run in runs if run.step == "Tock"} == ticks
    assert {run.status for run in runs} == {"completed"}


@rule(
    "3.7",
    "A trace id is five letters and digits, a dash, and seven digits of the time",
    different="It is a W3C trace id, 32 hexadecimal digits, by which other services and tracing "
    "tools know the trace too; clients get it in `x-trace-id`",
)
async def test_the_form_of_a_trace_id(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/whoami")
    trace_id = answer.json()["traceId"]
    assert re.fullmatch("[0-9a-f]{32}", trace_id)
    assert answer.headers["x-trace-id"] == trace_id


@rule(
    "3.7",
    "Trace headers of a request are not looked at",
    better="A `traceparent` is continued, so that the callers' traces hold the runs",
)
async def test_incoming_trace_headers(app: StepTester) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with app:
        answer = await app.client.get(
            "/whoami", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
        )
    assert answer.json() == {"traceId": trace_id}


@rule(
    "3.8",
    "`POST /emit` lets anybody emit any topic, in production too",
    different="It is there with the setting `emit_route` alone: it would let every client start "
    "Steps. `motia-celery emit` needs no route",
)
@rule(
    "3.8",
    '`POST /emit` takes `{"topic", "data"}` and answers `{"success": true, "emitted": {…}}`',
)
async def test_events_by_http(project: Path) -> None:
    event = {"topic": "greet", "data": {"name": "Ada"}}
    async with StepTester(project) as app:
        closed = await app.client.post("http://localhost/emit", json=event)
    async with StepTester(project, emit_route=True) as app:
        answer = await app.client.post("http://localhost/emit", json=event)
        await app.settle()
        greeted = await app.state.get("greeted", "Ada")
    assert closed.status_code == 404
    assert (answer.status_code, answer.json()) == (200, {"success": True, "emitted": event})
    assert greeted == {"by": "event"}


@rule(
    "3.8",
    "All paths but `/emit`, and those below `/__motia`, are the project's",
    different="`/metrics`, `/health/live`, `/health/ready` and what begins with `/__` are the "
    "framework's: a Step with such a path is left out, and told. `/emit` and `/docs` may be a "
    "Step's",
)
async def test_paths_of_the_framework(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        paths = (("GET", "/"), ("GET", "/docs"), ("GET", "/health"), ("POST", "/emit"))
        answers = [await app.client.request(*path) for path in paths]
        problems = {problem.file: problem.what for problem in app.plan.problems}
    assert [answer.json() for answer in answers] == [{"mine": True}] * 4
    assert list(problems) == ["steps/metrics_step.py"]
    assert "a path of the framework" in problems["steps/metrics_step.py"]
