"""The diagram: which nodes and arrows the page is given."""

from __future__ import annotations

from typing import Any

from motia_celery.model.step import CronTrigger, Emit, EventTrigger, HttpTrigger, Step
from motia_celery.plan import Plan, compile_plan
from motia_celery.workbench.flows import graph
from motia_celery.workbench.shapes.app import GraphView, Position


def step(name: str, *triggers: Any, **fields: Any) -> Step:
    file = f"steps/{name}_step.py"
    return Step(name=name, file=file, language="python", triggers=triggers, **fields)


def plan_of(*steps: Step) -> Plan:
    return compile_plan(prefix="t", timezone="UTC", steps=steps)


def edges(view: GraphView) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.topic) for edge in view.edges}


def test_an_emit_is_an_arrow_to_each_step_that_hears_it() -> None:
    view = graph(
        plan_of(
            step("a", HttpTrigger(method="POST", path="/a"), emits=(Emit(topic="x.y"),)),
            step("b", EventTrigger(topics=("x.y",))),
            step("c", EventTrigger(topics=("x.*",))),
            step("d", EventTrigger(topics=("z",))),
        ),
        {},
    )
    assert edges(view) == {("a", "b", "x.y"), ("a", "c", "x.y")}


def test_labels_conditions_and_virtual_arrows_are_told() -> None:
    view = graph(
        plan_of(
            step(
                "a",
                emits=(Emit(topic="x", label="if paid", conditional=True),),
                virtual_emits=(Emit(topic="v"),),
            ),
            step("b", EventTrigger(topics=("x",)), virtual_subscribes=("v",)),
        ),
        {},
    )
    real, virtual = sorted(view.edges, key=lambda edge: edge.virtual)
    assert (real.label, real.conditional, real.virtual) == ("if paid", True, False)
    assert (virtual.topic, virtual.virtual) == ("v", True)


def test_arrows_have_ids_of_their_own_even_for_one_topic_twice() -> None:
    twice = (Emit(topic="x", label="yes"), Emit(topic="x", label="no"), Emit(topic="x"))
    view = graph(plan_of(step("a", emits=twice), step("b", EventTrigger(topics=("x",)))), {})
    assert len({edge.id for edge in view.edges}) == len(view.edges) == 3


def test_a_node_is_named_by_what_mainly_starts_it() -> None:
    http, event = HttpTrigger(method="GET", path="/:id"), EventTrigger(topics=("x",))
    cron = CronTrigger(expression="0 9 * * *")
    view = graph(
        plan_of(step("a", event, http), step("b", event, cron), step("c", event), step("d")), {}
    )
    assert [node.kind for node in view.nodes] == ["http", "cron", "event", "noop"]
    assert (view.nodes[0].routes, view.nodes[1].crons) == (("GET /:id",), ("0 9 * * *",))


def test_flows_name_their_steps_and_the_whole_app_comes_first() -> None:
    view = graph(plan_of(step("a", flows=("f", "g")), step("b", flows=("g",)), step("c")), {})
    assert [(flow.name, flow.steps) for flow in view.flows] == [
        ("", ("a", "b", "c")),
        ("f", ("a",)),
        ("g", ("a", "b")),
    ]


def test_positions_are_those_of_the_flows_own_steps() -> None:
    here, gone = Position(x=1, y=2), Position(x=3, y=4)
    kept = {"f": {"steps/a_step.py": here, "steps/b_step.py": here, "steps/gone.py": gone}}
    view = graph(plan_of(step("a", flows=("f",)), step("b")), kept)
    assert [flow.positions for flow in view.flows] == [{}, {"a": here}]


def test_paused_steps_are_marked() -> None:
    view = graph(plan_of(step("a"), step("b")), {}, {"b"})
    assert [node.paused for node in view.nodes] == [False, True]
