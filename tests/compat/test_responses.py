"""What a client gets, trace ids, and routes that are there: sections 3.5, 3.7 and 3.8."""

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
