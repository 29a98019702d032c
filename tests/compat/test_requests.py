"""What an http Step's handler is given: section 3.4."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import zlib
from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester

JSON = {"content-type": "application/json"}


@rule("3.4", "`req['body']` is the parsed JSON of the request")
async def test_the_body_is_json(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"id": 1})
    assert (answer.status_code, answer.json()) == (201, {"got": {"id": 1}})


@rule("3.4", "`req['pathParams']` holds the parameters of the path as text, with escapes decoded")
async def test_path_params_are_decoded(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/users/42/files/a%20b%2Fc%C3%A9.txt")
    assert answer.json() == {"user": "42", "file": "a b/cé.txt"}


@rule("3.4", "A query parameter that is given several times is a list in `req['queryParams']`")
@rule("3.4", "Brackets in the names of query parameters make objects and lists: `a[b]=1`, `a[]=1`")
async def test_query_params_nest_and_repeat(app: StepTester) -> None:
    async with app:
        plain = await app.client.get("/search?q=red+lamp&empty=&flag&n=1%202")
        repeated = await app.client.get("/search?tag=a&tag=b&ids[]=1&ids[]=2&at[1]=y&at[0]=x")
        nested = await app.client.get("/search?filter[price][min]=10&filter[name]=lamp")
        dotted = await app.client.get("/search?hub.mode=subscribe&hub.challenge=12")
        none = await app.client.get("/search")
    assert plain.json() == {"q": "red lamp", "empty": "", "flag": "", "n": "1 2"}
    assert repeated.json() == {"tag": ["a", "b"], "ids": ["1", "2"], "at": ["x", "y"]}
    assert nested.json() == {"filter": {"price": {"min": "10"}, "name": "lamp"}}
    assert dotted.json() == {"hub.mode": "subscribe", "hub.challenge": "12"}
    assert none.json() == {}


@rule("3.4", "The names in `req['headers']` are in lower case")
@rule(
    "3.4",
    "A header that is sent twice is joined by commas, cookies by semicolons; of those that only "
    "stand once the first counts; `set-cookie` is a list",
)
async def test_headers_have_lower_case_names(app: StepTester) -> None:
    headers = [
        ("X-Hub-Signature", "sha256=1"),
        ("X-Tag", "a"),
        ("x-tag", "b"),
        ("Cookie", "a=1"),
        ("cookie", "b=2"),
        ("Content-Type", "application/json"),
        ("Content-Type", "text/plain"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    ]
    async with app:
        answer = await app.client.post("/webhook", headers=headers, content="{}")
    assert answer.json() == {
        "signature": "sha256=1",
        "original": None,
        "tags": "a, b",
        "cookie": "a=1; b=2",
        "type": "application/json",
        "set": ["a=1", "b=2"],
    }


@rule("3.4", "A JSON body may be a list")
async def test_a_json_body_may_be_a_list(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/bulk", json=[{"sku": "a"}, {"sku": "b"}])
    assert answer.json() == {"count": 2, "first": "a"}


@rule("3.4", "A JSON body that is a lone text, number or null is refused with 400")
async def test_a_json_body_is_an_object_or_a_list(app: StepTester) -> None:
    async with app:
        answers = [
            await app.client.post("/echo", content=body, headers=JSON)
            for body in ('"text"', "7", "null", "true")
        ]
    assert [answer.status_code for answer in answers] == [400] * 4


@rule(
    "3.4",
    "Malformed JSON is answered with 400, and the handler does not run",
    better='The answer is JSON, `{"error": …}`, where Motia\'s is a page of HTML',
)
async def test_malformed_json_is_a_400(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/echo", content="{'id': 1}", headers=JSON)
        runs = await app.runs()
    assert (answer.status_code, answer.json()) == (400, {"error": "Malformed JSON"})
    assert runs == []


@rule(
    "3.4",
    "`application/x-www-form-urlencoded` is parsed as query parameters are, nested names included",
)
async def test_a_form_is_parsed(app: StepTester) -> None:
    form = "name=Ada+L&tags=a&tags=b&address[city]=London"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    async with app:
        answer = await app.client.post("/contact", content=form, headers=headers)
    assert answer.json() == {"name": "Ada L", "tags": ["a", "b"], "city": "London"}


@rule("3.4", "A body of `text/plain` is a string")
async def test_plain_text_is_a_string(app: StepTester) -> None:
    headers = {"content-type": "text/plain; charset=utf-8"}
    async with app:
        answer = await app.client.post("/notes", content="buy más", headers=headers)
        # the charset's own letters
        latin = await app.client.post(
            "/notes",
            content="más".encode("latin-1"),
            headers={"content-type": "text/plain; charset=iso-8859-1"},
        )
    assert answer.json() == {"shouted": "BUY MÁS", "raw": "buy más"}
    assert latin.json() == {"shouted": "MÁS", "raw": "más"}


@rule("3.4", "Bodies compressed with gzip or deflate are inflated")
async def test_compressed_bodies_are_inflated(app: StepTester) -> None:
    text = b'{"cpu": 0.5}'
    async with app:
        answers = [
            await app.client.post(
                "/ingest", content=body, headers={**JSON, "content-encoding": encoding}
            )
            for encoding, body in (("gzip", gzip.compress(text)), ("deflate", zlib.compress(text)))
        ]
    wanted = {"body": {"cpu": 0.5}, "raw": text.decode()}
    assert [answer.json() for answer in answers] == [wanted, wanted]


@rule("3.4", "`req['rawBody']` is the text as it was sent, so that signatures can be checked")
async def test_the_raw_body_is_the_text_as_sent(app: StepTester) -> None:
    body = '{ "type":"charge.paid",  "amount": 1.50 }'
    signature = hmac.new(b"secret", body.encode(), hashlib.sha256).hexdigest()
    async with app:
        answers = [
            await app.client.post(
                "/webhooks/stripe", content=body, headers={**JSON, "Stripe-Signature": signed}
            )
            for signed in (signature, "forged")
        ]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[0].json() == {"received": "charge.paid"}


@rule(
    "3.4",
    "The body of any other content type, such as bytes, is `{}`, and `rawBody` is empty",
    better="Text that is not parsed, such as XML, is in `rawBody`, and every body in `raw_bytes`; "
    "other kinds of JSON (`…+json`) and of text are parsed",
)
async def test_other_content_types_give_an_empty_body(app: StepTester) -> None:
    async def put(kind: str, content: bytes) -> object:
        headers = {"content-type": kind}
        return (await app.client.put("/raw", content=content, headers=headers)).json()

    async with app:
        assert await put("application/octet-stream", b"\x00\xff\x01") == {"body": {}, "raw": ""}
        assert await put("application/xml", b"<a/>") == {"body": {}, "raw": "<a/>"}
        assert await put("application/vnd.api+json", b'{"a":1}') == {
            "body": {"a": 1},
            "raw": '{"a":1}',
        }
        assert await put("text/csv", b"a,b") == {"body": "a,b", "raw": "a,b"}


@rule(
    "3.4",
    "A `multipart/form-data` body is not parsed: it is `{}`",
    better="Its fields and files are in `body`, and its files in `files`",
)
async def test_forms_with_files_are_parsed(app: StepTester) -> None:
    async with app:
        answer = await app.client.post(
            "/avatar", data={"title": "Me"}, files={"picture": ("me.png", b"\x89PNG")}
        )
    assert answer.json() == {"fields": ["picture", "title"], "title": "Me"}


@rule("3.4", "Without a body `req['body']` is `{}` and `req['rawBody']` is empty")
async def test_without_a_body_it_is_an_empty_dict(app: StepTester) -> None:
    async with app:
        answers = [
            await app.client.post("/ping"),
            await app.client.post("/ping", headers=JSON),
        ]
    wanted = {"message": "pong", "body": {}, "raw": ""}
    assert [answer.json() for answer in answers] == [wanted, wanted]


@rule(
    "3.4",
    "A body over the limit, a gigabyte, is answered with 413",
    different="The limit is the setting `body_limit_bytes`, 10 MiB unless it says more: a body is "
    "held in memory as a whole",
)
async def test_a_body_over_the_limit_is_a_413(project: Path) -> None:
    async with StepTester(project) as app:
        small = await app.client.post("/echo", json={"text": "x" * 2_000_000})
        large = await app.client.post("/echo", json={"text": "x" * 11_000_000})
    async with StepTester(project, body_limit_bytes=20_000_000) as app:
        raised = await app.client.post("/echo", json={"text": "x" * 11_000_000})
    assert [answer.status_code for answer in (small, large, raised)] == [200, 413, 200]


@rule(
    "3.4",
    "A body of some 60 KB or an event of 128 KB is too large: it can not be passed to the handler",
    better="Payloads travel by no command line, so that only `body_limit_bytes` and "
    "`event_limit_bytes` count",
)
async def test_a_large_body_reaches_the_handler(app: StepTester) -> None:
    products = [{"sku": str(number), "text": "x" * 100} for number in range(5000)]
    async with app:
        answer = await app.client.post("/import", json={"products": products})
        await app.settle()
        stored = await app.state.get("products", "count")
    assert (answer.status_code, answer.json()) == (202, {"products": 5000})
    assert stored == 5000


@rule(
    "3.4",
    "A request is a plain dict of `pathParams`, `queryParams`, `body`, `headers` and `rawBody`, "
    "which can be changed, copied, unpacked and written as JSON",
)
async def test_a_request_is_a_plain_dict(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/inspect/1?a=b", json={"id": 1})
    told = answer.json()
    keys = ["body", "headers", "pathParams", "queryParams", "rawBody"]
    assert told["is_dict"] is True
    assert told["keys"] == told["unpacked"] == keys
    assert told["json"] == {"id": 1}
    assert told["merged"]["user"] == {"id": 7}
    assert told["merged"]["pathParams"] == {"id": "1"}
    assert told["merged"]["queryParams"] == {"a": "b"}
    assert (told["has_files"], told["missing"], told["id"]) == (False, "none", 1)
    assert told["typed"] == "application/json"


@rule(
    "3.4",
    "A request has its five keys and nothing else: no method, no path, no attributes",
    better="`method`, `path` and `raw_bytes` are attributes of it, and so is each key, in "
    "snake_case too",
)
async def test_a_request_knows_its_method_and_path(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/audit/7?full=1", json={"a": 1})
    assert answer.json() == {
        "method": "POST",
        "path": "/audit/7",
        "path_params": {"id": "7"},
        "query_params": {"full": "1"},
        "raw_body": '{"a":1}',
        "body": {"a": 1},
        "key": {"id": "7"},
    }


@rule(
    "3.4",
    "In TypeScript and JavaScript `req` has `pathParams`, `queryParams`, `body`, `headers` and "
    "`rawBody`",
)
async def test_requests_in_typescript(app: StepTester) -> None:
    async with app:
        answer = await app.client.put(
            "/orders/a%20b?expand=items&expand=user&filter[paid]=1",
            content=b'{"n": [1, 2]}',
            headers={**JSON, "X-Agent": "test"},
        )
        empty = await app.client.post("/orders/count")
    assert answer.json() == {
        "orderId": "a b",
        "expand": ["items", "user"],
        "filter": {"paid": "1"},
        "agent": "test",
        "body": {"n": [1, 2]},
        "rawBody": json.dumps({"n": [1, 2]}),
        "keys": ["body", "headers", "pathParams", "queryParams", "rawBody"],
    }
    assert empty.json() == {"body": {}, "type": "object"}
