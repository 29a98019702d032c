"""What is wrong between Steps: names taken twice, emits that nobody hears."""

from __future__ import annotations

from dataclasses import replace

import pytest

from motia_celery.model.retry import RetryPolicy
from motia_celery.model.step import (
    Emit,
    EventTrigger,
    QueueOptions,
    StateTrigger,
    Step,
    Stream,
    StreamTrigger,
)
from motia_celery.plan.checks import (
    broken_inputs,
    hidden_streams,
    idle_priorities,
    long_holds,
    unheard_emits,
    unique_steps,
    unique_streams,
    unknown_streams,
)


def step(name, *, file=None, hears=(), emits=(), **more):
    return Step(
        name=name,
        file=file or f"steps/{name}_step.py",
        language="python",
        triggers=(EventTrigger(topics=hears),) if hears else (),
        emits=tuple(Emit(topic=topic) for topic in emits),
        **more,
    )


def test_the_first_step_of_a_name_runs_and_the_later_one_is_a_problem():
    first, second = step("a", file="steps/1_step.py"), step("a", file="steps/2_step.py")
    kept, (problem,) = unique_steps([first, step("b"), second])
    assert [s.file for s in kept] == ["steps/1_step.py", "steps/b_step.py"]
    assert (problem.file, problem.severity) == ("steps/2_step.py", "error")
    assert "steps/1_step.py" in problem.what


def test_equal_steps_from_one_file_are_no_excuse():
    """Values may be equal; what counts is that the name is there twice."""
    kept, problems = unique_steps([step("a"), step("a")])
    assert (len(kept), len(problems)) == (1, 1)


def test_the_last_stream_of_a_name_is_used_as_in_motia():
    streams = [Stream(name="chat", file=f"steps/{n}_stream.py", language="python") for n in "12"]
    kept, (problem,) = unique_streams(streams)
    assert [s.file for s in kept] == ["steps/2_stream.py"]
    assert problem.file == "steps/2_stream.py"


def test_an_emit_that_nobody_hears_is_a_warning():
    (problem,) = unheard_emits([step("a", emits=["x", "y"]), step("b", hears=("y",))])
    assert (problem.severity, problem.file) == ("warning", "steps/a_step.py")
    assert "'x'" in problem.what


@pytest.mark.parametrize("pattern", ["order.paid", "order.*", "#", "order.#", "*.paid"])
def test_wildcards_count_as_hearing(pattern):
    assert list(unheard_emits([step("a", emits=["order.paid"]), step("b", hears=(pattern,))])) == []


def test_an_input_schema_that_fits_nothing_is_a_warning():
    bad = EventTrigger(topics=("x",), input_schema={"type": "strin"})
    remote = EventTrigger(topics=("x",), input_schema={"$ref": "http://127.0.0.1:9/x.json"})
    good = EventTrigger(topics=("x",), input_schema={"type": "object"})
    found = Step(name="a", file="f", language="python", triggers=(bad, remote, good))
    assert [p.severity for p in broken_inputs([found])] == ["warning", "warning"]


def test_a_priority_that_has_no_effect_is_warned_of():
    queue = QueueOptions(priority=3)
    ranked = replace(step("ranked"), triggers=(EventTrigger(topics=("x",), queue=queue),))
    (problem,) = idle_priorities([ranked, step("plain")], "there is one slot")
    assert "'ranked'" in problem.what
    assert "there is one slot" in problem.what
    assert problem.severity == "warning"


def fifo(**more):
    trigger = EventTrigger(topics=("x",), queue=QueueOptions(type="fifo"))
    return replace(step("a", **more), triggers=(trigger,))


def test_a_message_that_is_held_for_longer_than_brokers_allow_is_a_warning():
    """All attempts of a fifo Step's run are those of one delivery, and so are the waits."""
    assert list(long_holds([fifo(), step("b", hears=("x",), timeout_seconds=7200)])) == []
    patient = RetryPolicy(max_attempts=4, backoff="fixed", backoff_seconds=600)
    (problem,) = long_holds([fifo(retry=patient, timeout_seconds=60)])
    assert (problem.severity, problem.file) == ("warning", "steps/a_step.py")
    assert "34 minutes" in problem.what
    assert "RabbitMQ before 3.12" in problem.what
    (problem,) = long_holds([fifo(timeout_seconds=43200)])
    assert "RabbitMQ ends" in problem.what


@pytest.mark.parametrize(("name", "hidden"), [("group", True), ("all", True), ("groups", False)])
def test_a_stream_named_like_a_path_of_the_workbench_is_warned_of(name, hidden):
    stream = Stream(name=name, file="steps/a_stream.py", language="python")
    found = list(hidden_streams([stream]))
    assert [problem.severity for problem in found] == (["warning"] if hidden else [])


def test_a_trigger_of_a_stream_that_no_file_declares_is_a_warning():
    triggers = (StateTrigger(), StreamTrigger(stream="s"), StreamTrigger(stream="none"))
    made = replace(step("a"), triggers=triggers)
    declared = Stream(name="s", file="steps/s_stream.py", language="python")
    (problem,) = unknown_streams([made, step("b", hears=("x",))], [declared])
    assert (problem.severity, problem.field) == ("warning", "triggers.2.streamName")
    assert "'none'" in problem.what
