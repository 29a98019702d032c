"""Rules of http paths: Express 4's syntax and its matching."""

from __future__ import annotations

import time

import pytest

from motia_celery.errors import PathError
from motia_celery.model.path import compile_path, decode_path, path_fault


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/users", "/users", {}),
        ("/users", "/users/", {}),
        ("/users/", "/users", {}),
        ("/users", "/USERS", {}),
        ("/users", "/users//", None),
        ("/users", "/users/1", None),
        ("/", "/", {}),
        ("/", "/x", None),
        ("/users/:id", "/users/1", {"id": "1"}),
        ("/users/:id", "/users/1/", {"id": "1"}),
        ("/users/:id", "/users", None),
        ("/users/:id", "/users/1/2", None),
        ("/users/:id?", "/users", {}),
        ("/users/:id?", "/users/1", {"id": "1"}),
        ("/:a/:b?", "/x", {"a": "x"}),
        (r"/users/:id(\d+)", "/users/12", {"id": "12"}),
        (r"/users/:id(\d+)", "/users/ab", None),
        ("/:lang(en|de)?/p", "/p", {}),
        ("/:lang(en|de)?/p", "/de/p", {"lang": "de"}),
        ("*", "/any/thing", {"0": "/any/thing"}),
        ("/files/*", "/files/a/b.txt", {"0": "a/b.txt"}),
        ("/files/(.*)", "/files/a/b.txt", {"0": "a/b.txt"}),
        ("/a/*/b/*", "/a/1/2/b/3", {"0": "1/2", "1": "3"}),
        ("/(a|b)", "/a", {}),
        ("/(a|b)", "/c", None),
        ("/(a|b)/*", "/b/x", {"0": "x"}),
        ("/ab(cd)?e", "/abcde", {"0": "cd"}),
        ("/ab(cd)?e", "/abe", {}),
        ("/ab?cd", "/acd", {}),
        ("/ab*cd", "/abXcd", {"0": "X"}),
        ("/:from-:to", "/LAX-SFO", {"from": "LAX", "to": "SFO"}),
        ("/:name.:ext", "/f.tar.gz", {"name": "f.tar", "ext": "gz"}),
        ("/:rest*", "/a/b", {"rest": "a", "0": "/b"}),
        ("/v1.0", "/v1x0", None),
    ],
)
def test_matching_follows_express_4(pattern: str, path: str, expected: object) -> None:
    assert compile_path(pattern).match(path) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/a%20b", "a b"),
        ("/caf%C3%A9", "café"),
        ("/a%2Fb", "a/b"),
        ("/a%252Fb", "a%2Fb"),
        ("/100%25", "100%"),
    ],
)
def test_parameters_are_decoded_once_and_an_encoded_slash_parts_no_segments(
    path: str, value: str
) -> None:
    assert compile_path("/:x").match(path) == {"x": value}


@pytest.mark.parametrize("path", ["/%zz", "/%", "/%ff"])
def test_a_malformed_escape_matches_nothing(path: str) -> None:
    assert decode_path(path) is None
    assert compile_path("*").match(path) is None


def test_decoding_twice_changes_nothing() -> None:
    once = decode_path("/a%2fb%2541%C3%A9")
    assert once == "/a%2Fb%2541é"
    assert decode_path(once) == once


def test_a_line_break_ends_no_match_early() -> None:
    assert compile_path("/users").match("/users%0A") is None
    assert compile_path("/:x").match("/a%0Ab") == {"x": "a\nb"}


def test_digits_are_ascii_so_that_int_is_safe() -> None:
    assert compile_path(r"/:id(\d+)").match("/²") is None
    assert compile_path(r"/:id(\d+)").match("/٣") is None


def test_static_paths_are_decoded_too() -> None:
    assert compile_path("/hello world").match("/hello%20world") == {}
    assert compile_path("/hello%20world").match("/hello%20world") == {}


def test_names_are_in_order_and_unnamed_groups_are_numbered() -> None:
    assert compile_path("/:a/*/:b/x(y)").names == ("a", "0", "b", "1")


@pytest.mark.parametrize(
    ("pattern", "openapi"),
    [
        ("/users/:id", "/users/{id}"),
        (r"/users/:id(\d+)?/x", "/users/{id}/x"),
        ("/files/*", "/files/{0}"),
        ("/:rest*/x/*", "/{rest}/x/{1}"),
        ("/users/", "/users"),
        ("/", "/"),
        ("*", "/{0}"),
    ],
)
def test_openapi_writes_parameters_in_braces(pattern: str, openapi: str) -> None:
    assert compile_path(pattern).openapi == openapi


def test_rank_puts_the_more_specific_path_first() -> None:
    patterns = ["*", "/a/*", "/a/:x?", "/a/:x", "/a/:x.json", r"/a/:x(\d+)", "/a/(b|c)", "/a/b"]
    ranked = sorted(patterns, key=lambda pattern: compile_path(pattern).rank)
    assert ranked == [
        "/a/b",
        "/a/(b|c)",
        r"/a/:x(\d+)",
        "/a/:x.json",
        "/a/:x",
        "/a/:x?",
        "/a/*",
        "*",
    ]


def test_only_a_path_without_parameters_and_patterns_is_static() -> None:
    assert compile_path("/A/B/").static == "/a/b"
    assert compile_path("/").static == "/"
    assert compile_path("/a/:b").static is None
    assert compile_path("/ab?c").static is None


@pytest.mark.parametrize("path", ["/", "*", "/a/:b", r"/a/:b(\d+)?", "/(a|b)", r"/:a(x\))"])
def test_a_usable_path_has_no_fault(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("", "starts with"),
        ("users", "starts with"),
        ("/users/{id}", ":id"),
        ("/:a:b", "between"),
        ("/(a", "pattern"),
        ("/:id(", "pattern"),
        ("/:id([)", "pattern"),
        ("/:id(a{999999999999})", "pattern"),
        ("/:id(*)", "pattern"),
    ],
)
def test_a_fault_says_why_a_path_can_not_be_used(path: str, word: str) -> None:
    assert word in (path_fault(path) or "")


def test_compiling_a_bad_path_raises_path_error() -> None:
    with pytest.raises(PathError):
        compile_path("/(a")


@pytest.mark.parametrize("pattern", ["/:a-:b", "/:a-:b-:c", "/:a.:b/x", "/:a?/:b?/x", "/*/b/*"])
def test_a_long_hostile_path_costs_no_quadratic_time(pattern: str) -> None:
    path = compile_path(pattern)

    def cost(length: int) -> float:
        began = time.thread_time()
        path.match("/" + "-" * length + "/q\n")
        path.match("/" + ".-" * (length // 2) + "/q")
        return time.thread_time() - began

    # Of twenty times the length quadratic time is 400 times the cost.
    assert cost(100_000) < 100 * min(cost(5_000) for _ in range(9)) + 0.1
