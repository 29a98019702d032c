"""Rules of the request that reaches the handler, and of bodies that do not."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from unit.run.web_apps import (
    Runs,
    api,
    app_of,
    ask,
)


async def test_the_handler_gets_motias_request() -> None:
    runs = Runs()
    response = await ask(
        app_of(api("/users/:id"), runs=runs),
        "POST",
        "/users/a%2Fb?x=1&x=2&f[a]=3",
        json={"name": "é"},
        headers={"X-Custom": "v"},
    )
    assert response.json() == {"ok": True}
    assert dict(runs.request) == {
        "pathParams": {"id": "a/b"},
        "queryParams": {"x": ["1", "2"], "f": {"a": "3"}},
        "body": {"name": "é"},
        "headers": runs.request["headers"],
        "rawBody": '{"name":"é"}',
    }
    assert runs.request.headers["x-custom"] == "v"
    assert runs.request.raw_bytes == '{"name":"é"}'.encode()
    assert (runs.request.method, runs.request.path) == ("POST", "/users/a/b")


async def test_the_run_names_its_step_and_flows() -> None:
    runs = Runs()
    app = app_of(api("/x", name="Create"), runs=runs)
    await ask(app, "POST", "/x")
    await ask(app, "POST", "/x")
    first, second = runs.seen
    assert (first.step, first.trigger, first.flows) == ("Create", "http", ("shop",))
    assert first.id != second.id


@pytest.mark.parametrize(
    ("content", "content_type", "body", "text"),
    [
        (b"", "application/json", {}, ""),
        (b"", None, {}, ""),
        (b"[1, 2]", "application/json", [1, 2], "[1, 2]"),
        (b'{"a": 1 }\n', "application/vnd.api+json", {"a": 1}, '{"a": 1 }\n'),
        ('{"a":"é"}'.encode("utf-16"), "application/json; charset=utf-16", {"a": "é"}, '{"a":"é"}'),
        (
            b"a=1&b[c]=2&b[c]=3",
            "application/x-www-form-urlencoded",
            {"a": "1", "b": {"c": ["2", "3"]}},
            "a=1&b[c]=2&b[c]=3",
        ),
        (b"hello", "text/plain", "hello", "hello"),
        (b"caf\xe9", "text/plain; charset=ISO-8859-1", "café", "café"),
        (b"<a/>", "application/xml", {}, "<a/>"),
        (b"\xff\x00", "application/octet-stream", {}, ""),
    ],
)
async def test_the_body_is_parsed_by_its_content_type(
    content: bytes, content_type: str | None, body: Any, text: str
) -> None:
    runs = Runs()
    headers = {"content-type": content_type} if content_type else {}
    response = await ask(
        app_of(api("/x"), runs=runs), "POST", "/x", content=content, headers=headers
    )
    assert response.status_code == 200
    assert (runs.request.body, runs.request.raw_body) == (body, text)
    assert runs.request.raw_bytes == content


async def test_a_multipart_form_gives_fields_and_files() -> None:
    runs = Runs()
    await ask(
        app_of(api("/x"), runs=runs),
        "POST",
        "/x",
        data={"title": "é", "tag": ["a", "b"]},
        files={"photo": ("../../etc/p.png", b"\x89\x00\r\n", "image/png")},
    )
    body = runs.request.body
    assert (body["title"], body["tag"]) == ("é", ["a", "b"])
    photo = runs.request.files["photo"]
    assert photo is body["photo"]
    assert dict(photo) == {
        "filename": "p.png",
        "contentType": "image/png",
        "content": b"\x89\x00\r\n",
        "size": 4,
    }
    assert (photo.filename, photo.content_type) == ("p.png", "image/png")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"--b\r\n", "multipart/form-data"),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b"),
        (
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx',
            "multipart/form-data; boundary=b",
        ),
        (b"--b\r\nx: y\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (b"x", f"multipart/form-data; boundary={'b' * 5000}"),
        (b"{", "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b'{"a": Infinity}', "application/json"),
        (b"5", "application/json"),
        (b"null", "application/json"),
        (b" ", "application/json"),
        (b'{"a": "\xff"}', "application/json"),
        (b'{"a": "\\ud800"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff", "text/plain"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_malformed_body_is_400_and_runs_nothing(content: bytes, content_type: str) -> None:
    runs = Runs()
    headers = {"content-type": content_type}
    response = await ask(
        app_of(api("/x"), runs=runs), "POST", "/x", content=content, headers=headers
    )
    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert "Traceback" not in response.text
    assert not runs.seen


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain; charset=rot13"},
        {"content-type": "application/json; charset=nonsense"},
        {"content-encoding": "br"},
        {"content-encoding": "gzip, gzip"},
    ],
)
async def test_an_unknown_charset_or_encoding_is_415(headers: dict[str, str]) -> None:
    response = await ask(app_of(api("/x")), "POST", "/x", content=b"{}", headers=headers)
    assert response.status_code == 415


async def test_a_body_of_exactly_the_limit_passes() -> None:
    app = app_of(api("/x"), body_limit_bytes=4)
    assert (await ask(app, "POST", "/x", content=b"1234")).status_code == 200
    assert (await ask(app, "POST", "/x", content=b"12345")).status_code == 413


async def test_a_streamed_body_over_the_limit_is_413() -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 1000

    app = app_of(api("/x"), body_limit_bytes=10_000)
    assert (await ask(app, "POST", "/x", content=endless())).status_code == 413


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)),
        ("gzip", gzip.compress(b'{"a"', mtime=0) + gzip.compress(b":1}", mtime=0)),
        ("deflate", zlib.compress(b'{"a":1}')),
        ("deflate", zlib.compress(b'{"a":1}', wbits=-15)),
        ("identity", b'{"a":1}'),
    ],
)
async def test_a_compressed_body_is_inflated(encoding: str, packed: bytes) -> None:
    runs = Runs()
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    await ask(app_of(api("/x"), runs=runs), "POST", "/x", content=packed, headers=headers)
    assert runs.request.body == {"a": 1}
    assert runs.request.raw_body == '{"a":1}'


async def test_the_limit_counts_the_inflated_size() -> None:
    bomb = gzip.compress(b"0" * 1_000_000, mtime=0)
    headers = {"content-encoding": "gzip"}
    app = app_of(api("/x"), body_limit_bytes=10_000)
    assert (await ask(app, "POST", "/x", content=bomb, headers=headers)).status_code == 413


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"x" * 100, mtime=0)[:-9]])
async def test_a_torn_compressed_body_is_400(content: bytes) -> None:
    headers = {"content-encoding": "gzip"}
    response = await ask(app_of(api("/x")), "POST", "/x", content=content, headers=headers)
    assert response.status_code == 400


async def test_a_form_with_too_many_fields_is_413() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    content = "&".join(f"a{i}=1" for i in range(1_001))
    response = await ask(app_of(api("/x")), "POST", "/x", content=content, headers=headers)
    assert response.status_code == 413


async def test_a_client_that_leaves_while_sending_starts_no_run() -> None:
    runs = Runs()
    app = app_of(api("/x"), runs=runs)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    assert not sent
    assert not runs.seen
