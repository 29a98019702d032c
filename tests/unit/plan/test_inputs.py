"""Input schemas: what does not fit, and who decides what becomes of it."""

from __future__ import annotations

import pytest

from motia_celery.errors import SchemaMismatchError
from motia_celery.model.step import EventTrigger, Step
from motia_celery.plan.inputs import Inputs

AMOUNT = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
ANY = None


def step(name, schema, policy=None):
    trigger = EventTrigger(topics=("paid",), input_schema=schema)
    return Step(
        name=name,
        file=f"steps/{name}_step.py",
        language="python",
        triggers=(trigger,),
        event_schema=policy,
    )


def test_faults_name_the_place_and_fitting_data_has_none():
    inputs = Inputs([step("a", AMOUNT), step("b", ANY)])
    assert inputs.faults("a", {"amount": 1}) == []
    assert inputs.faults("b", "anything") == []
    assert inputs.faults("a", {"amount": "1"}) == ['amount: "1" is not of type "number"']
    assert inputs.faults("a", {}) == ['data: "amount" is a required property']


def test_the_step_decides_before_the_setting():
    inputs = Inputs([step("a", AMOUNT), step("b", AMOUNT, "warn"), step("c", ANY)], "reject")
    assert [inputs.lets_run(name) for name in "abc"] == [False, True, True]


def test_a_schema_that_is_none_lets_everything_run():
    inputs = Inputs([step("a", {"type": 5})], "reject")
    assert inputs.faults("a", {}) == []
    assert inputs.lets_run("a")


@pytest.mark.parametrize(
    ("policies", "refused"),
    [
        ({"a": (AMOUNT, "refuse")}, True),
        ({"a": (AMOUNT, "refuse"), "b": (AMOUNT, "reject")}, True),
        ({"a": (AMOUNT, "reject")}, False),
        ({"a": (AMOUNT, "refuse"), "b": (AMOUNT, "warn")}, False),
        ({"a": (AMOUNT, "refuse"), "b": (ANY, "refuse")}, False),
        ({"a": (AMOUNT, "refuse"), "b": ({"type": "object"}, "refuse")}, False),
        ({}, False),
    ],
    ids=str,
)
def test_an_emit_is_refused_only_where_no_step_would_run(policies, refused):
    """One that fits somewhere is sent; where it does not fit it is rejected."""
    inputs = Inputs([step(name, *given) for name, given in policies.items()])
    if not refused:
        inputs.check("paid", {}, policies)
        return
    with pytest.raises(SchemaMismatchError, match=r"emit 'paid'.*a: data:") as caught:
        inputs.check("paid", {}, policies)
    assert "event_schema" in caught.value.fix
    inputs.check("paid", {"amount": 1}, policies)


def test_of_several_triggers_the_schema_of_the_topic_counts():
    triggers = (
        EventTrigger(topics=("paid.*",), input_schema=AMOUNT),
        EventTrigger(topics=("free",)),
    )
    made = Step(name="a", file="steps/a_step.py", language="python", triggers=triggers)
    inputs = Inputs([made], "refuse")
    assert inputs.faults("a", {}, "paid.now") != []
    assert inputs.faults("a", {}, "free") == []
    inputs.check("free", {}, ["a"])
    with pytest.raises(SchemaMismatchError):
        inputs.check("paid.now", {}, ["a"])
