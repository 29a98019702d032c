"""What Steps hand to the framework: any topic, key, value or log line, however odd or large."""

from __future__ import annotations

import json
from typing import Any

import pytest
from integration.apps import Project, wait_until

from motia_celery.errors import EmitError
from motia_celery.model.event import Event
from motia_celery.model.topic import MAX_TOPIC_BYTES

TOPICS = (
    *("a b", "Ünï.漢字", "a/b:c", "a\nb\tc", "nul\x00", "'\"`$(x)", "%2F%00", ".", "..", "a..b."),
    *("\u202eabc", "🔑", "__proto__", "a+b?c=[d]", "x" * MAX_TOPIC_BYTES, "ü" * 127),
)


def test_every_topic_reaches_its_step(project: Project) -> None:
    """Under its own name, and nobody else's."""
    for number, topic in enumerate(TOPICS):
        project.step(f"odd {'abcdefghijklmnopqrst'[number]}", [topic], retries=0)
    worker = project.worker()
    for topic in TOPICS:
        project.emit(topic, {"topic": topic})
    names = [f"odd {'abcdefghijklmnopqrst'[number]}" for number in range(len(TOPICS))]
    for name, topic in zip(names, TOPICS, strict=True):
        (note,) = project.wait_for(name)
        assert (note["topic"], note["data"]) == (topic, {"topic": topic})
    assert worker.running


PYTHON = """
import enum
import math

from motia_celery.errors import FrameworkError

config = {config!r}
MB = 1 << 20
KEY = ":*\\n\\x00[a]{b}" * 1000


class Odd:
    def __repr__(self):
        raise RuntimeError("no words for it")


def circle():
    found = {}
    found["self"] = found
    return found


def deep():
    found = []
    for _ in range(5000):
        found = [found]
    return found


async def refusal(call):
    try:
        await call()
    except FrameworkError as error:
        assert len(str(error)) < 2000, len(str(error))
        return type(error).__name__
    return "none"


async def handler(data, context):
    log = context.logger
    log.info("L" * MB, {"more": "M" * MB})
    log.info("forged\\n{\\"level\\":\\"error\\"}\\r\\n\\x1b[31m")
    for odd in (
        Odd(), circle(), deep(), b"\\xff", {1, 2}, math.nan, 2**200, "\\ud800", {("a", 1): 2},
        {"a": Odd()}, [Odd()], lambda: 1, 1j, Odd,
    ):
        log.info("odd", odd)
    log.info(Odd())
    log.info(None)
    large = {"text": "x" * (10 * MB)}
    await context.state.set("a:*", KEY, large)
    assert await context.state.get("a:*", KEY) == large
    assert await context.state.get("a:*", KEY[:-1]) in (None, {}, "") or True
    assert "a:*" in await context.state.list_groups()
    await context.state.clear("a:*")
    found = []
    for odd in (object(), circle(), deep(), b"x", {1}, 2**200, "\\ud800", {"x": large}):
        found.append(await refusal(lambda: context.emit(topic="after", data=odd)))
        if odd is not None and odd != {"x": large}:
            found.append(await refusal(lambda: context.state.set("g", "k", odd)))
    await context.emit(topic="after", data={"found": found})
"""

NODE = """
export const config = { type: 'event', name: 'node', subscribes: ['odd'], emits: ['told'],
  infrastructure: { queue: { maxRetries: 0 } } }

const circle = {}
circle.self = circle
let deep = []
for (let i = 0; i < 5000; i++) deep = [deep]
const key = ':*\\n[a]{b}'.repeat(1000)

async function refusal(call) {
  try { await call() } catch (error) { return 'refused' }
  return 'none'
}

export const handler = async (input, { logger, state, emit }) => {
  logger.info('L'.repeat(1 << 20), { more: 'M'.repeat(1 << 20) })
  const odd = [circle, deep, 10n, Symbol('x'), () => 1, NaN, '\\ud800', new Map([[1, 2]]),
    { text: '\\\\ud800 \\ud83d\\ude00 \\udc00' }, { toJSON() { throw new Error('no') } },
    { [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no') }, n: 1n },
    { get a() { throw new Error('no') } },
    new Proxy({}, { ownKeys() { throw new Error('no') } })]
  for (const each of odd) logger.info('odd', each)
  const large = { text: 'x'.repeat(10 << 20) }
  await state.set('n:*', key, large)
  const back = await state.get('n:*', key)
  const found = [back.text.length]
  await state.clear('n:*')
  for (const each of [circle, deep, 10n, { x: large }])
    found.push(await refusal(() => emit({ topic: 'told', data: each })))
  let allowed = [1]
  for (let i = 0; i < 190; i++) allowed = [allowed]
  await state.set('n:*', 'deep', allowed)
  await state.set('n:*', 'cut', 'half a pair: \\ud83d')
  found.push((await state.get('n:*', 'cut')).codePointAt(13))
  await emit({ topic: 'told', data: { found } })
}
"""


@pytest.mark.parametrize("project", ["redis"], indirect=True)
def test_odd_and_large_values_are_taken_or_refused_and_the_worker_goes_on(project: Project) -> None:
    """In both languages. A line of the log stays one line of JSON."""
    project.step("python", ["odd"], retries=0, emits=["after"], source=PYTHON)
    project.step("after", ["after"], retries=0)
    project.step("told", ["told"], retries=0)
    project.step("node", ["odd"], retries=0)
    project.file("node").with_suffix(".js").write_text(NODE)
    project.file("node").unlink()
    worker = project.worker()
    project.emit("odd", {})
    (after,) = project.wait_for("after", seconds=60)
    assert after["data"]["found"] == [
        *("EventDataError", "StateValueError") * 7,
        "EventDataError",
    ]
    (told,) = project.wait_for("told", seconds=60)
    assert told["data"]["found"] == [10 << 20, *["refused"] * 4, 0xFFFD]
    project.emit("after", {"token": "goes on"})
    project.wait_for("after", token="goes on")
    assert worker.running
    lines = [json.loads(line) for line in worker.output.splitlines()]
    assert {len(line["msg"]) for line in lines if line["msg"].startswith("L")} == {1 << 20}
    assert not [line for line in lines if line["level"] == "error"]


@pytest.mark.parametrize("project", ["redis"], indirect=True)
def test_an_event_over_the_limit_is_refused_where_it_is_emitted(project: Project) -> None:
    project.step("large", ["large"])
    with pytest.raises(EmitError, match="at most"):
        project.publisher.emit_blocking(Event(topic="large", data="x" * (11 << 20)))
    odd: list[Any] = [float("nan"), {"a": float("inf")}]
    for data in odd:
        project.publisher.emit_blocking(Event(topic="large", data=data))
    wait_until(lambda: project.depth(project.queue("large")) == len(odd), "both are there")
