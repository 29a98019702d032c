"""An event that does not fit a Step's ``input``: warned of, rejected, or refused, as it is set."""

from __future__ import annotations

from integration.apps import Project

NUMBER = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}
EMITS = """
from acts import note

config = {config!r}


async def handler(data, context):
    try:
        await context.emit(topic="number", data=data["number"])
    except Exception as error:
        note("done", config["name"], f"{type(error).__name__}: {error}", context)
    else:
        note("done", config["name"], "sent", context)
"""
EMITS_IN_NODE = """
export const config = { type: 'event', name: 'asks-too', subscribes: ['ask-node'] };
export const handler = async (data: any, { emit }: any) => {
  const text = await emit({ topic: 'number', data: data.number }).then(() => 'sent', String);
  await emit({ topic: 'told', data: { token: text } });
};
"""


def test_a_misfit_that_is_rejected_is_a_dead_letter_that_never_ran(project: Project) -> None:
    """At the first attempt, with its faults; the Steps that it fits run."""
    project.step("number", ["number"], input=NUMBER, retries=3)
    project.step("lenient", ["number"], input=NUMBER, eventSchema="warn")
    project.worker(event_schema="reject")
    project.emit("number", {"n": "many"})
    project.wait_for("lenient")
    (letter,) = project.dead_letters()
    assert letter.headers["motia-error-type"] == "SchemaMismatchError"
    assert 'n: "many" is not of type "number"' in letter.headers["motia-error-message"]
    assert letter.headers["motia-attempt"] == 1
    assert project.notes("number") == []
    project.emit("number", {"n": 5})
    project.wait_for("number")


def test_a_misfit_is_refused_where_it_is_emitted(project: Project) -> None:
    """In both languages; one that comes from elsewhere is rejected."""
    project.step("asks", ["ask"], source=EMITS)
    (project.folder / "steps" / "asks_too.step.ts").write_text(EMITS_IN_NODE)
    project.step("number", ["number"], input=NUMBER)
    project.step("told", ["told"])
    project.worker(event_schema="refuse")
    for data in ({"number": {"n": "many"}}, {"number": {"n": 5}}):
        project.emit("ask", data)
        project.publish(project.names.queue("asks-too"), str(data).replace("'", '"'))
    told = sorted(note["data"] for note in project.wait_for("asks", 2))
    told_by_node = sorted(note["data"]["token"] for note in project.wait_for("told", 2))
    for refusal, sent in (told, told_by_node):
        assert refusal.startswith("SchemaMismatchError: emit 'number'")
        assert sent == "sent"
    project.wait_for("number", 2)
    project.emit("number", {"n": "foreign"})
    (letter,) = project.dead_letters()
    assert letter.headers["motia-error-type"] == "SchemaMismatchError"
    assert len(project.notes("number", "begun")) == 2
