"""The flow graph: an arrow from each emit to each Step that hears it."""

from __future__ import annotations

from motia_celery.model.step import Emit, EventTrigger, Step
from motia_celery.plan.graph import Edge, Flow, compile_flows, edges_between


def step(name, *, hears=(), emits=(), **more):
    return Step(
        name=name,
        file=f"steps/{name}_step.py",
        language="python",
        triggers=(EventTrigger(topics=hears),) if hears else (),
        emits=emits,
        **more,
    )


def test_an_arrow_goes_to_everyone_who_hears_the_topic():
    steps = [
        step("a", emits=(Emit(topic="x.y", label="ok", conditional=True),)),
        step("b", hears=("x.y",)),
        step("c", hears=("x.*", "x.#")),
        step("d", hears=("y",)),
    ]
    assert list(edges_between(steps)) == [
        Edge(source="a", target=target, topic="x.y", label="ok", conditional=True)
        for target in ("b", "c")
    ]


def test_virtual_emits_and_subscribes_are_drawn_only():
    steps = [
        step("a", virtual_emits=(Emit(topic="x"),)),
        step("b", hears=("x",), emits=(Emit(topic="z"),)),
        step("c", virtual_subscribes=("z",)),
    ]
    edges = list(edges_between(steps))
    assert [(e.source, e.target, e.virtual) for e in edges] == [("a", "b", True), ("b", "c", True)]


def test_a_flow_exists_while_a_step_names_it():
    """In order of mention, each with the arrows between its own Steps."""
    a = step("a", emits=(Emit(topic="x"),), flows=("orders", "all", "orders"))
    b = step("b", hears=("x",), flows=("all",))
    assert compile_flows([a, b, step("c", hears=("x",))]) == (
        Flow("orders", ("a",), ()),
        Flow("all", ("a", "b"), (Edge(source="a", target="b", topic="x"),)),
    )
