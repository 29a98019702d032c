"""Rules of the routes: their order, and what is told about those that can not run."""

from __future__ import annotations

from typing import Any

import pytest

from motia_celery.model.step import HttpTrigger, Step
from motia_celery.plan.routes import compile_routes


def api(path: str, method: str = "GET", *, file: str = "", **trigger: Any) -> Step:
    name = file or f"{method} {path}"
    http = HttpTrigger(method=method, path=path, **trigger)
    return Step(
        name=name, file=file or f"steps/{name}_step.py", language="python", triggers=(http,)
    )


def paths(*steps: Step) -> list[str]:
    return [route.trigger.path for route in compile_routes(steps)[0]]


def test_static_routes_come_before_parameters_whatever_the_order_of_files() -> None:
    steps = [api("/users/*"), api("/users/:id"), api(r"/users/:id(\d+)"), api("/users/me")]
    assert paths(*steps) == ["/users/me", r"/users/:id(\d+)", "/users/:id", "/users/*"]


def test_equally_specific_routes_keep_the_order_of_the_steps() -> None:
    assert paths(api("/b"), api("/a"), api("/c")) == ["/b", "/a", "/c"]


def test_the_first_of_two_equal_routes_wins_and_both_files_are_named() -> None:
    routes, problems = compile_routes([api("/x", file="one.py"), api("/X/", file="two.py")])
    assert [route.step.file for route in routes] == ["one.py"]
    assert [problem.severity for problem in problems] == ["error"]
    assert problems[0].file == "two.py"
    assert "one.py" in problems[0].what


def test_the_same_path_with_another_method_is_another_route() -> None:
    routes, problems = compile_routes([api("/x"), api("/x", "POST")])
    assert len(routes) == 2
    assert not problems


def test_a_route_that_differs_only_in_parameter_names_is_taken() -> None:
    routes, problems = compile_routes([api("/u/:id"), api("/u/:name", file="late.py")])
    assert len(routes) == 1
    assert "GET /u/:id" in problems[0].what
    assert problems[0].file == "late.py"


@pytest.mark.parametrize(
    ("first", "second"), [("*", "/*"), ("/f/*", "/f/:rest(.*)"), ("/:all*", "/:x(.+)")]
)
def test_a_route_behind_one_that_takes_everything_of_it_is_warned_of(
    first: str, second: str
) -> None:
    _, problems = compile_routes([api(first), api(second)])
    assert [problem.severity for problem in problems] == ["warning"]
    assert "shadowed" in problems[0].what


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (r"/u/:id(\d+)", "/u/:name"),
        (r"/u/:id(\d+)", "/u/:name([a-z]+)"),
        ("/u/:id", "/u/:id?"),
        ("/a/:x", "/:y/b"),
        ("/:a-:b", "/:c"),
        ("/(a|b)", "/:x"),
        ("/x/:id([^0-9]+)", "/x/:name"),
    ],
)
def test_routes_that_only_overlap_are_not_reported(first: str, second: str) -> None:
    assert compile_routes([api(first), api(second)])[1] == ()


def test_an_options_step_is_warned_of_because_preflights_are_answered_first() -> None:
    _, problems = compile_routes([api("/x", "OPTIONS")])
    assert [problem.severity for problem in problems] == ["warning"]
    assert "OPTIONS" in problems[0].what


@pytest.mark.parametrize(
    "path",
    ["/health/live", "/Health/Ready/", "/metrics", "/Metrics/", "/__workbench", "/__motia/:x"],
)
def test_a_path_of_the_framework_is_left_out(path: str) -> None:
    routes, problems = compile_routes([api(path)])
    assert routes == ()
    assert problems[0].severity == "error"


def test_a_health_path_of_the_users_own_is_fine() -> None:
    assert compile_routes([api("/health")])[1] == ()


@pytest.mark.parametrize("schema", [{"type": "banana"}, {"$ref": "#/$defs/Missing"}])
def test_a_broken_body_schema_is_warned_of(schema: dict[str, Any]) -> None:
    routes, problems = compile_routes([api("/x", "POST", body_schema=schema)])
    assert len(routes) == 1
    assert "bodySchema" in problems[0].what


def test_a_remote_reference_is_never_fetched() -> None:
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    _, problems = compile_routes([api("/x", "POST", body_schema=schema)])
    assert "127.0.0.1:9" in problems[0].what
