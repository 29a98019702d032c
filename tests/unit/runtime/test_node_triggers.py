"""Steps with lists of triggers in TypeScript and JavaScript, run by a real Node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from motia_celery.context import Services
from motia_celery.context.request import Request
from motia_celery.errors import ClientGoneError
from motia_celery.model.event import Event
from motia_celery.model.problem import Problem
from motia_celery.model.run import Failure, Run, Success
from motia_celery.model.step import EventTrigger, HttpTrigger
from motia_celery.model.trace import Trace
from motia_celery.runtime.invoke import Invoker
from motia_celery.stores.memory_state import MemoryState
from motia_celery.stores.memory_streams import MemoryStreams
from motia_celery.testing.reply import WholeReply

LONG_SECONDS = 60

ONE = """
import { http, queue, cron, jsonSchema, type StepConfig } from 'motia';

const seen = (input: any, ctx: any) => ({
  given: input && Object.keys(input),
  trigger: ctx.trigger,
  is: Object.keys(ctx.is).filter((kind) => ctx.is[kind](input)),
  data: ctx.getData(),
});
const order = async ({ request }: any, ctx: any, next: any) => {
  request.order = [...(request.order ?? []), 'outer'];
  const result = await next();
  return { ...result, headers: { 'x-order': request.order.join() } };
};

export const config = {
  name: 'one',
  description: 'all kinds',
  triggers: [
    http('POST', '/one/:id', {
      bodySchema: jsonSchema({ type: 'object', properties: { a: { type: 'string' } } }),
      middleware: [order, async (args: any, ctx: any, next: any) => next()],
    }),
    { type: 'api', method: 'GET', path: '/one' },
    queue('a.*', { input: { type: 'object', properties: {} }, config: { maxRetries: 7 } }),
    queue('b', {}, (data: any, ctx: any) => data.go && ctx.trigger.index === 3),
    cron('0 0 9 * * *'),
    { type: 'state' },
    { type: 'stream', streamName: 'chat', groupId: 'g' },
  ],
  enqueues: ['c', { topic: 'd', label: 'D' }],
  virtualEnqueues: ['e'],
} as const satisfies StepConfig;

export const handler = async (input: any, ctx: any) =>
  ctx.match({
    http: async ({ request }: any) => ({
      status: 200,
      body: {
        ...seen(input, ctx),
        request,
        early: input.pathParams.id,
        has: typeof input.response.status,
      },
    }),
    queue: (data: any) => ({ ...seen(input, ctx), own: data }),
    cron: async () => seen(input, ctx),
  });
"""

PARTS = """
const { multiTriggerStep, http, queue, cron } = require('motia');
const { enqueue, stateManager, logger, Stream } = require('motia');
const chat = new Stream({ name: 'chat' });

module.exports = multiTriggerStep({
  name: 'parts',
  triggers: [http('GET', '/parts'), queue('parts'), cron('* * * * * *')],
})
  .onHttp((_, context) => ({ status: 200, body: [context.trigger.type, arguments.length] }))
  .onQueue(async (data) => {
    const before = await stateManager.set('s', 'k', { n: 1 });
    const after = await stateManager.update('s', 'k', [{ type: 'increment', path: 'n', by: 2 }]);
    const put = (await chat.set('g', 'i', { text: data })).new_value.text;
    const text = [{ type: 'set', path: 'text', value: 'new' }];
    const sent = await enqueue({ topic: 'x', data });
    logger.info('told', { data });
    return {
      before, after, put, sent,
      list: await stateManager.list('s'),
      groups: await stateManager.listGroups(),
      items: (await chat.list('g')).map(({ text }) => text),
      streams: await chat.listGroups(),
      item: (await chat.update('g', 'i', text)).new_value.text,
      gone: (await chat.delete('g', 'i')).id,
      removed: await stateManager.delete('s', 'k'),
      nothing: await stateManager.get('s', 'k'),
    };
  })
  .onCron((ctx) => ctx.trigger.expression)
  .handlers();
"""

WHOLE = """
import { step, queue, isQueueTrigger, getQueueTriggers } from 'motia';
export const listed = step({ name: 'whole', triggers: [queue('w')] }, async (ctx: any) => [
  ctx.trigger.topic, isQueueTrigger(listed.config.triggers[0]), getQueueTriggers(listed).length,
]);
"""

CONDITIONS = """
const yes = async () => true;
export const config = {
  name: 'conditions',
  triggers: [
    { type: 'queue', topic: 'no', condition: async () => false },
    { type: 'queue', topic: 'throws', condition: () => { throw new RangeError('of it'); } },
    { type: 'http', method: 'GET', path: '/c', condition: ({ request }, ctx) => request.body.ok },
    { type: 'queue', topic: 'alone', condition: (ctx) => ctx.is.queue() },
    { type: 'cron', expression: '0 0 9 * * *', condition: yes },
    { type: 'cron', expression: '0 0 8 * * *', condition: yes },
  ],
};
export const handler = async () => ({ status: 200, body: 'ran' });
"""

WRITES = """
import { http } from 'motia';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export const config = { name: 'writes', triggers: [http('POST', '/w')] };
const acts: Record<string, (args: any, ctx: any) => any> = {
  async lines({ request, response }) {
    response.status(201).headers({ 'content-type': 'text/event-stream' });
    for await (const chunk of request.requestBody.stream) response.stream.write(chunk);
    response.stream.write('é');
    response.stream.write(Buffer.from([0xc3, 0xa9]));
    response.stream.write('c3a9', 'hex');
    await response.stream(['t', 'e']);
    for (const part of ['x', 't']) response.stream.write(part);
    response.close();
  },
  sources: async ({ response }) => {
    await response.stream(['a', Buffer.from('b')]);
    await response.stream(async (stream: any) => void stream.write('c'));
    Readable.from(['d']).pipe(response.stream, { end: false });
    await response.stream(new ReadableStream({ start(it) { it.enqueue('e'); it.close(); } }));
  },
  pipeline: ({ response }) => pipeline(Readable.from(['a', 'b']), response.stream),
  only: ({ response }) => void response.status(404),
  returned: ({ response }) => {
    response.status(202);
    return { body: 'given' };
  },
  fails: async ({ response }) => {
    await response.stream('begun');
    throw new RangeError('half-way');
  },
  late: async ({ response }) => {
    await response.stream('a');
    response.status(404);
  },
  much: async ({ response }) => {
    for (let i = 0; ; i += 1) response.stream.write(Buffer.alloc(1024 * 1024));
  },
  forever: async ({ response }) => {
    for (;;) {
      response.stream.write('tick');
      await new Promise((done) => setTimeout(done, 5));
    }
  },
  polite: async ({ response }, { logger }) => {
    const left = new Promise((done) => response.stream.once('close', done));
    response.stream.write('tick');
    await left;
    logger.info('left');
  },
};
export const handler = (args: any, ctx: any) => acts[args.request.body.act](args, ctx);
"""


class Exchange:
    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    async def emit(self, event: Event, options: object, **more: object) -> bool:
        self.events.append((event.topic, event.data))
        return True

    async def commit(self, *_: object, **more: object) -> None:
        raise AssertionError("no transaction here")


class Leaving(WholeReply):
    """A client that leaves after the first part."""

    is_left = False

    @property
    def is_gone(self) -> bool:
        return self.is_left

    def when_gone(self, tell: Any) -> None:
        self.tell = tell

    async def write(self, chunk: bytes) -> None:
        if self.is_left:
            raise ClientGoneError("gone")
        await super().write(chunk)
        self.is_left = True
        self.tell()


class Shut(WholeReply):
    """A client that reads nothing."""

    async def write(self, chunk: bytes) -> None:
        await asyncio.Event().wait()


class App:
    """The Steps of the project, run by a real Node."""

    def __init__(self, project: Any) -> None:
        self.found = project.discover()
        self.node = project.node
        self.steps = {step.name: step for step in self.found.steps}
        self.exchange = Exchange()
        self.state = MemoryState()
        services = Services(
            emitter=self.exchange,
            state=self.state,
            streams=MemoryStreams(),
            stream_names=frozenset({"chat"}),
        )
        hosts = dict.fromkeys(("typescript", "javascript"), self.node)
        self._invoker = Invoker(self.steps, hosts, services, project.root)

    async def outcome(self, step: str, input: Any = None, **fields: Any) -> Success | Failure:
        run = Run(id="r", step=step, input=input, trace=Trace.start(), **fields)
        return await asyncio.wait_for(self._invoker.invoke(run), LONG_SECONDS)

    async def event(self, step: str, topic: str, data: Any = None) -> Any:
        return self.result(await self.outcome(step, data, trigger="event", topic=topic))

    async def cron(self, step: str) -> Any:
        return self.result(await self.outcome(step, trigger="cron"))

    async def http(self, step: str, body: Any, index: int | None = None, reply: Any = None) -> Any:
        values = {"body": body, "rawBody": "raw", "headers": {}, "pathParams": {"id": "7"}}
        request = Request(values, method="POST", path="/one/7", reply=reply)
        return await self.outcome(step, request, trigger="http", trigger_index=index)

    def result(self, outcome: Success | Failure) -> Any:
        assert isinstance(outcome, Success), outcome
        return outcome.result

    def problem(self, file: str) -> Problem:
        (problem,) = [p for p in self.found.problems if p.file == file]
        return problem


@pytest.fixture
async def start(project: Any) -> AsyncIterator[Any]:
    """Reads the files, and gives the app."""
    apps: list[App] = []

    def start(**files: str) -> App:
        for name, source in files.items():
            stem, _, suffix = name.rpartition("_")
            project.write(f"steps/{stem}.step.{suffix}", source)
        apps.append(App(project))
        return apps[-1]

    yield start
    for app in apps:
        await app.node.aclose()


async def test_a_handler_of_all_kinds_of_triggers(start: Any) -> None:
    app = start(one_ts=ONE)
    assert app.found.problems == () or {p.severity for p in app.found.problems} == {"warning"}
    (step,) = app.found.steps
    assert step.description == "all kinds"
    assert [emit.topic for emit in step.emits] == ["c", "d"]
    assert [emit.topic for emit in step.virtual_emits] == ["e"]
    first, _, third, *_ = step.triggers
    assert isinstance(first, HttpTrigger)
    assert first.body_schema == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert isinstance(third, EventTrigger)
    assert (third.topics, step.retry.max_attempts) == (("a.*",), 8)
    answer = app.result(await app.http("one", {"a": "b"}, index=0))
    assert answer["headers"] == {"x-order": "outer"}
    body = answer["body"]
    assert body["trigger"] == {"type": "http", "index": 0, "method": "POST", "path": "/one/:id"}
    assert (body["is"], body["data"], body["given"]) == (
        ["http"],
        {"a": "b"},
        ["request", "response"],
    )
    assert (body["request"]["method"], body["early"], body["has"]) == ("POST", "7", "function")
    second = app.result(await app.http("one", {}, index=1))
    assert second["body"]["trigger"]["index"] == 1
    assert "headers" not in second
    queue = await app.event("one", "a.b", {"n": 1})
    assert queue["trigger"] == {"type": "queue", "index": 2, "topic": "a.b"}
    assert (queue["own"], queue["data"], queue["is"]) == ({"n": 1}, {"n": 1}, ["queue"])
    assert (await app.event("one", "b", {"go": True}))["trigger"]["index"] == 3
    assert await app.event("one", "b", {"go": False}) is None
    cron = await app.cron("one")
    assert cron["trigger"] == {"type": "cron", "index": 4, "expression": "0 0 9 * * *"}
    assert ("data" in cron, cron["is"]) == (False, ["cron"])


async def test_a_handler_for_each_kind_and_the_names_of_motia(start: Any) -> None:
    app = start(parts_js=PARTS, whole_ts=WHOLE)
    assert app.found.problems == ()
    assert app.result(await app.http("parts", {}))["body"][0] == "http"
    assert await app.event("parts", "parts", "hi") == {
        "before": {"old_value": None, "new_value": {"n": 1}},
        "after": {"old_value": {"n": 1}, "new_value": {"n": 3}},
        "put": "hi",
        "sent": True,
        "list": [{"n": 3}],
        "groups": ["s"],
        "items": ["hi"],
        "streams": ["g"],
        "item": "new",
        "gone": "i",
        "removed": {"n": 3},
        "nothing": None,
    }
    assert app.exchange.events == [("x", "hi")]
    assert await app.cron("parts") == "* * * * * *"
    assert await app.event("whole", "w") == ["w", True, 1]


async def test_conditions(start: Any) -> None:
    app = start(conditions_js=CONDITIONS)
    assert app.found.problems == ()
    assert await app.event("conditions", "no") is None
    failed = await app.outcome("conditions", trigger="event", topic="throws")
    assert isinstance(failed, Failure)
    assert (failed.error.type, failed.error.where) == ("RangeError", "steps/conditions.step.js:7")
    skipped = app.result(await app.http("conditions", {"ok": 0}, index=2))
    assert (skipped["status"], skipped["body"]["skipped"]) == (422, True)
    assert app.result(await app.http("conditions", {"ok": 1}, index=2))["body"] == "ran"
    assert (await app.event("conditions", "alone"))["body"] == "ran"


async def test_what_is_wrong_with_a_list_is_told(start: Any) -> None:
    cron = "{ type: 'cron', expression: '* * * * *', condition: "
    app = start(
        several_ts=f"""
export const config = {{ name: 'several', triggers: [
  {cron} () => true }}, {cron} () => false }}] }};
export const handler = () => {{}};""",
        text_ts=f"""
export const config = {{ name: 'text', triggers: [{cron} 'yes' }}] }};
export const handler = () => {{}};""",
        missing_ts="""
import { multiTriggerStep, queue, http } from 'motia';
export const { config, handler } = multiTriggerStep({
  name: 'missing', triggers: [queue('x'), http('GET', '/x')],
}).onQueue(() => {}).handlers();""",
        wrong_ts="""
export const config = { name: 'wrong', triggers: [{ type: 'queue' }, { type: 'mail' }] };
export const handler = () => {};""",
    )
    assert "several conditions" in app.problem("steps/several.step.ts").what
    problem = app.problem("steps/text.step.ts")
    assert (problem.what, problem.field) == (
        "condition is no function but string",
        "triggers.0.condition",
    )
    assert "no handler, for its http trigger" in app.problem("steps/missing.step.ts").what
    wrong = [p.field for p in app.found.problems if p.file == "steps/wrong.step.ts"]
    assert wrong == ["triggers.0.topic", "triggers.1"]
    assert sorted(app.steps) == ["several", "text"]


async def test_the_projects_own_package_motia_is_not_shadowed(start: Any, project: Any) -> None:
    package = "node_modules/motia"
    project.write(f"{package}/package.json", '{"name": "motia", "main": "i.js"}')
    project.write(f"{package}/i.js", "exports.queue = () => ({ type: 'queue', topic: 'theirs' });")
    app = start(
        own_ts="""
import { queue } from 'motia';
export const config = { name: 'own', triggers: [queue()] };
export const handler = () => {};"""
    )
    assert app.steps["own"].topics == ("theirs",)


async def test_a_response_is_written_in_parts(start: Any) -> None:
    app = start(writes_ts=WRITES)

    async def written(act: str) -> tuple[Any, dict[str, Any]]:
        reply = WholeReply()
        outcome = await app.http("writes", {"act": act}, reply=reply)
        return outcome.result if isinstance(outcome, Success) else outcome, reply.result

    head = {"status": 201, "headers": {"content-type": "text/event-stream"}}
    assert await written("lines") == (None, {**head, "body": "rawééétext"})
    result, reply = await written("sources")
    assert (result, sorted(reply["body"])) == (None, ["a", "b", "c", "d", "e"])
    assert await written("pipeline") == (None, {"status": 200, "headers": {}, "body": "ab"})
    assert await written("only") == (None, {"status": 404, "headers": {}, "body": ""})
    result, reply = await written("returned")
    assert (result, reply["status"]) == ({"status": 202, "body": "given", "headers": {}}, None)
    failed, reply = await written("fails")
    assert (failed.error.type, reply["body"]) == ("RangeError", "begun")
    assert "has begun" in (await written("late"))[0].error.message


async def test_a_client_that_leaves_or_reads_nothing_ends_the_writing(start: Any) -> None:
    app = start(writes_ts=WRITES)
    failed = await app.http("writes", {"act": "forever"}, reply=Leaving())
    assert failed.error.type == "ClientGoneError"
    assert app.result(await app.http("writes", {"act": "polite"}, reply=Leaving())) is None
    failed = await app.http("writes", {"act": "much"}, reply=Shut())
    assert (failed.error.type, "more was written" in failed.error.message) == ("RangeError", True)
    outside = await app.http("writes", {"act": "lines"})
    assert "response.start" in outside.error.message
