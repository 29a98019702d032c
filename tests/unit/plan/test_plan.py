"""The Plan: the whole app as one frozen value, equal whenever it is built from the same Steps."""

from __future__ import annotations

import dataclasses

import pytest

from motia_celery.model.problem import Problem
from motia_celery.model.reading import read_step
from motia_celery.model.step import Stream
from motia_celery.plan import compile_plan

CONFIGS = [
    {"type": "api", "name": "create", "method": "POST", "path": "/orders", "emits": ["order.new"]},
    {"type": "event", "name": "charge", "subscribes": ["order.*"], "flows": ["orders"]},
    {"type": "cron", "name": "report", "cron": "@daily"},
    {"type": "noop", "name": "drawn"},
]


def steps_of(configs):
    found = (
        read_step(c, file=f"steps/{i}_step.py", path=f"/app/steps/{i}_step.py")[0]
        for i, c in enumerate(configs)
    )
    return [step for step in found if step]


def plan_of(configs=CONFIGS, **more):
    return compile_plan(prefix="motia", timezone="UTC", steps=steps_of(configs), **more)


def test_the_plan_holds_the_whole_app():
    plan = plan_of(streams=[Stream(name="chat", file="s", language="python")])
    assert [step.name for step in plan.steps] == ["create", "charge", "report", "drawn"]
    assert [(r.trigger.method, r.path.openapi) for r in plan.routes] == [("POST", "/orders")]
    assert [queue.step for queue in plan.topology.queues] == ["charge", "report"]
    assert [entry.name for entry in plan.schedules] == ["report"]
    assert [flow.name for flow in plan.flows] == ["orders"]
    assert [stream.name for stream in plan.streams] == ["chat"]
    assert plan.problems == ()


def test_a_step_is_found_by_its_name():
    plan = plan_of()
    assert plan.step("charge") is plan.steps[1]
    assert plan.step("nobody") is None
    assert plan.names.events == "motia.events"


def test_plans_of_the_same_steps_are_equal():
    assert plan_of() == plan_of()


def test_use_does_not_change_a_plan():
    plan = plan_of()
    plan.topology.subscribers("order.new")
    assert plan == plan_of()


def test_a_plan_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan_of().routes = ()


def test_problems_are_collected_from_every_part_in_one_order():
    """Those of files first, then those between Steps."""
    found = Problem(file="steps/broken_step.py", what="syntax error", fix="Correct it.")
    plan = plan_of(
        [
            *CONFIGS,
            {**CONFIGS[1], "emits": ["nobody.hears"]},
            {**CONFIGS[0], "name": "twin"},
            {"type": "cron", "name": "friday", "cron": "0 0 13 * FRI"},
            {"type": "event", "name": "loud", "subscribes": ["x"], "emits": ["lost"]},
        ],
        problems=[found],
    )
    assert plan.problems[0] is found
    words = ["syntax", "taken by steps/1_step.py", "POST /orders is already", "both match", "lost"]
    assert len(plan.problems) == len(words)
    for problem, word in zip(plan.problems, words, strict=True):
        assert word in problem.what


def test_a_route_that_repeats_another_is_left_out_and_its_step_stays():
    plan = plan_of([CONFIGS[0], {**CONFIGS[0], "name": "twin"}])
    assert [route.step.name for route in plan.routes] == ["create"]
    assert (plan.problems[0].severity, plan.problems[0].file) == ("error", "steps/1_step.py")
