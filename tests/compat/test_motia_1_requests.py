"""Requests and responses of Motia 1.0: section 14.4."""

from __future__ import annotations

from compat.rules import rule

from motia_celery.testing import StepTester

ASKED = {"headers": {"X-Own": "mine"}, "json": {"n": 1}}


@rule(
    "14.4", "Python's request has `.body`, `.path_params`, `.query_params`, `.headers`, `.method`"
)
async def test_requests_have_attributes(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/show/7?a=1&b=2&b=3", **ASKED)
    assert answer.json() == {
        "body": {"n": 1},
        "path_params": {"id": "7"},
        "query_params": {"a": "1", "b": ["2", "3"]},
        "header": "mine",
        "method": "POST",
    }


@rule(
    "14.4", 'Python\'s request is read as a dict too: `.get("path_params")`, `.get("pathParams")`'
)
async def test_requests_are_dicts_too(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/show/7?a=1", **ASKED)
    assert answer.json() == ["7", "7", "1", {"n": 1}, "mine", "POST", "none"]


@rule("14.4", "`MotiaHttpArgs` holds `request` and `response`, and has the request's attributes")
@rule("14.4", "`request.request_body.stream` (`requestBody.stream`) gives the body in parts")
async def test_http_arguments_hold_request_and_response(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/show/7", **ASKED)
    assert answer.json()["same"] is True
    assert (answer.json()["body"], answer.json()["raw"].replace(" ", "")) == ({"n": 1}, '{"n":1}')


@rule("14.4", "TypeScript's handlers get `{ request, response }`")
@rule("14.4", "`request` has `pathParams`, `queryParams`, `body`, `headers` and `method`")
async def test_http_arguments_in_typescript(app: StepTester) -> None:
    async with app:
        answer = (await app.client.post("/show/7?a=1", **ASKED)).json()
    assert answer.pop("raw").replace(" ", "") == '{"n":1}'
    assert answer == {
        "pathParams": {"id": "7"},
        "queryParams": {"a": "1"},
        "body": {"n": 1},
        "own": "mine",
        "method": "POST",
        "writes": "function",
    }


@rule(
    "14.4",
    "A handler returns `{status, body, headers}`, `status_code` for `status`, or an `ApiResponse`",
)
@rule("14.4", "A result without a status is a 200")
@rule("14.4", "In Python a body may be bytes")
async def test_results_have_a_status_or_none(app: StepTester) -> None:
    async with app:
        got = {}
        for kind in ("status", "status_code", "none", "response", "empty", "bytes"):
            got[kind] = await app.client.get(f"/results/{kind}")
    assert {kind: answer.status_code for kind, answer in got.items()} == {
        "status": 201,
        "status_code": 202,
        "none": 200,
        "response": 203,
        "empty": 204,
        "bytes": 200,
    }
    for kind in ("status", "status_code", "none", "response"):
        assert got[kind].json() == {"ok": True}
    assert got["response"].headers["x-own"] == "1"
    assert got["bytes"].content == b"\x00\x01"
    assert got["bytes"].headers["content-type"] == "image/x-own"


@rule(
    "14.4",
    "In TypeScript a handler returns `{ status, body, headers }`; without a status it is a 200",
)
async def test_results_in_typescript(app: StepTester) -> None:
    async with app:
        full = await app.client.get("/results/status")
        none = await app.client.get("/results/none")
    assert (full.status_code, full.json(), full.headers["x-own"]) == (201, {"ok": True}, "1")
    assert (none.status_code, none.json()) == (200, {"ok": True})


@rule(
    "14.4",
    "In Python a body that is a text is written as a JSON text, in quotes",
    different="it is sent as it is, as in 0.17; a text in quotes is `json.dumps(text)`",
)
async def test_texts_are_sent_as_they_are(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/text")
    assert (answer.text, answer.headers["content-type"]) == ("plain", "text/plain; charset=utf-8")


@rule("14.4", "`response.status`, `.headers`, `.writer.stream.write` and `.close` write a response")
async def test_a_response_may_be_written(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/sse", json={"items": [{"a": 1}, {"b": 2}]})
        (line,) = await app.logs("info")
    item = "event: item\ndata: {}\n\n"
    told = item.format('{"a": 1}') + item.format('{"b": 2}') + "event: done\n\n"
    assert (answer.status_code, answer.text) == (201, told)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert line.data == {"type": "application/json"}


@rule("14.4", "TypeScript writes by `response.stream.write(…)`, and by `response.stream(source)`")
async def test_a_response_may_be_written_in_typescript(app: StepTester) -> None:
    async with app:
        written = await app.client.post("/sse", json={"items": ["a", "b"]})
        poured = await app.client.get("/stream")
    assert (written.status_code, written.text) == (201, "data: a\n\ndata: b\n\n")
    assert (poured.status_code, poured.text) == (201, "data: one\n\ndata: two\n\n")
    assert poured.headers["content-type"].startswith("text/event-stream")


@rule(
    "14.4",
    "A handler may write, or return, its response",
    better="and both: what is returned takes the status and headers that were set before it, and "
    "is dropped once something is written",
)
async def test_what_is_written_first_counts(app: StepTester) -> None:
    async with app:
        returned = await app.client.get("/both")
        written = await app.client.get("/both?write=1")
    assert (returned.status_code, returned.json()) == (202, ["returned"])
    assert returned.headers["x-own"] == "1"
    assert (written.status_code, written.text) == (200, "written")


@rule(
    "14.4",
    "Responses in parts are for Steps with `triggers`",
    better="those of 0.17 have `req.response` too",
)
async def test_classic_steps_may_write_too(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/classic")
    assert (answer.status_code, answer.text) == (200, "ab")


@rule(
    "14.4",
    "Middleware gets what the handler gets, and `next`; what it adds to the request is there",
)
async def test_middleware_of_one_may_change_requests(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/users", headers={"x-user": "ann"})
    assert (answer.json(), answer.headers["x-by"]) == (["ann"], "ann")
