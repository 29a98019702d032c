"""One app in three languages, as a user starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from acceptance.conftest import Example, free_port, wait_for_web
from integration.apps import Process, wait_until

_NO_SERVERS = dict.fromkeys(("AMQP_URL", "REDIS_URL", "CLOUDAMQP_URL", "RABBITMQ_URL"), "")

#: Patient: on a busy machine a process that was just started takes its time.
_client = httpx.Client(timeout=60, headers={"connection": "close"})

ROUTE = """
import type { ApiRouteConfig, Handlers } from 'motia';
import { greeting } from '../lib/words';

export const config: ApiRouteConfig = {
  type: 'api', name: 'start', method: 'POST', path: '/start', emits: ['middle'],
};
export const handler: Handlers['start'] = async (req, { emit, logger, traceId }) => {
  logger.info('Started', { word: req.body.word });
  await emit({ topic: 'middle', data: { word: greeting(req.body.word), id: req.body.id } });
  return { status: 202, body: { traceId }, headers: { 'x-language': 'typescript' } };
};
"""

WORDS = "export const greeting = (word: string): string => `hello ${word}`;\n"

MIDDLE = """
config = {"type": "event", "name": "middle", "subscribes": ["middle"], "emits": ["last"]}


async def handler(data, context):
    word = data["word"].upper()
    await context.emit({"topic": "last", "data": {**data, "word": word, "trace": context.trace_id}})
"""

LAST = """
exports.config = { type: 'event', name: 'last', subscribes: ['last'], emits: [] };
exports.handler = async (data, { state, streams, traceId }) => {
  await streams.words.set('said', data.id, { word: data.word, times: 1 });
  await streams.words.update('said', data.id, [{ type: 'increment', path: 'times', by: 1 }]);
  await state.set('words', data.id, { ...data, same: data.trace === traceId });
};
"""

STREAM = """
import type { StreamConfig } from 'motia';

export const config: StreamConfig = {
  name: 'words', schema: { type: 'object' }, baseConfig: { storageType: 'default' },
};
"""

READ_STREAM_TS = """
export const config = {
  type: 'api', name: 'said-ts', method: 'GET', path: '/said-ts/:id', emits: [],
};
export const handler = async (req, { streams }) =>
  ({ status: 200, body: { item: await streams.words.get('said', req.pathParams.id) } });
"""

READ_STREAM_PY = """
config = {"type": "api", "name": "said-py", "method": "GET", "path": "/said-py", "emits": []}


def handler(req, context):
    return {"status": 200, "body": context.streams.words.get_group("said")}
"""

READ = """
export const config = { type: 'api', name: 'read', method: 'GET', path: '/words/:id', emits: [] };
export const handler = async (req, { state }) => {
  const found = await state.get('words', req.pathParams.id);
  return found ? { status: 200, body: found } : { status: 404, body: {} };
};
"""

BYTES = """
export const config = { type: 'api', name: 'bytes', method: 'GET', path: '/bytes', emits: [] };
export const handler = () => ({ status: 200, body: Buffer.from([0, 255]) });
"""

DIES = """
export const config = { type: 'event', name: 'dies', subscribes: ['dies'], emits: [] };
export const handler = async (data: { id: string }, { state, attempt }) => {
  if (attempt === 1) process.kill(process.pid, 'SIGKILL');
  await state.set('words', data.id, { attempt });
};
"""

KILL = """
export const config = { type: 'api', name: 'kill', method: 'POST', path: '/kill', emits: ['dies'] };
export const handler = async (_, { emit }) => {
  emit({ topic: 'dies', data: { id: 'killed' } });
  return { status: 202, body: {} };
};
"""

THROWS = """
export const config = { type: 'api', name: 'throws', method: 'GET', path: '/throws', emits: [] };

export const handler = (): never => {
  throw new RangeError('too far');
};
"""


@pytest.fixture(params=["embedded", "rabbitmq"])
def dev(request: pytest.FixtureRequest, make_example: Any) -> tuple[Example, Process, str]:
    servers = dict(_NO_SERVERS)
    if request.param == "rabbitmq":
        given = ("broker_url", "redis_url", "name_prefix")
        values = [request.getfixturevalue(name) for name in given]
        servers |= dict(zip(("AMQP_URL", "REDIS_URL", "MOTIA_PREFIX"), values, strict=True))
    example = make_example(**servers)
    steps: Path = example.folder / "steps"
    (example.folder / "lib").mkdir()
    (example.folder / "lib" / "words.ts").write_text(WORDS)
    (steps / "start.step.ts").write_text(ROUTE)
    (steps / "middle_step.py").write_text(MIDDLE)
    (steps / "last_step.js").write_text(LAST)
    (steps / "read_step.js").write_text(READ)
    (steps / "words.stream.ts").write_text(STREAM)
    (steps / "said.step.ts").write_text(READ_STREAM_TS)
    (steps / "said_step.py").write_text(READ_STREAM_PY)
    (steps / "bytes.step.js").write_text(BYTES)
    (steps / "throws.step.ts").write_text(THROWS)
    (steps / "dies.step.ts").write_text(DIES)
    (steps / "kill.step.ts").write_text(KILL)
    port = free_port()
    process = example.start("-m", "motia_celery", "dev", "--port", str(port))
    address = f"http://127.0.0.1:{port}"
    wait_for_web(address, process)
    return example, process, address


def test_a_flow_runs_through_three_languages(dev: tuple[Example, Process, str]) -> None:
    """TypeScript route, Python event, JavaScript event, state and a stream; one trace id."""
    _, process, address = dev
    started = _client.post(f"{address}/start", json={"word": "ann", "id": "1"})
    assert started.status_code == 202
    assert started.headers["x-language"] == "typescript"

    wait_until(lambda: _client.get(f"{address}/words/1").status_code == 200, "the word", 60)

    found = _client.get(f"{address}/words/1").json()
    assert found["word"] == "HELLO ANN"
    assert found["same"] is True
    assert found["trace"] == started.json()["traceId"]
    marker = {"type": "state-stream", "streamName": "words", "groupId": "said", "id": "1"}
    item = {"word": "HELLO ANN", "times": 2, "id": "1", "__motia": marker}
    assert _client.get(f"{address}/said-ts/1").json() == {"item": item}
    assert _client.get(f"{address}/said-py").json() == [item]
    bytes_ = _client.get(f"{address}/bytes")
    assert (bytes_.content, bytes_.headers["content-type"]) == (
        b"\x00\xff",
        "application/octet-stream",
    )
    assert _client.get(f"{address}/throws").json() == {"error": "Internal server error"}
    wait_until(lambda: "steps/throws.step.ts:5" in process.output, "the line of the error", 60)
    assert "too far" in process.output


def test_a_changed_step_and_a_helper_outside_of_steps_are_live(
    dev: tuple[Example, Process, str],
) -> None:
    """Edits of TypeScript count as soon as those of Python."""
    example, _, address = dev
    file = example.folder / "steps" / "start.step.ts"
    file.write_text(ROUTE.replace("status: 202", "status: 201"))

    def status() -> int:
        return _client.post(f"{address}/start", json={"word": "bob", "id": "2"}).status_code

    wait_until(lambda: status() == 201, "the new status", 60)
    (example.folder / "lib" / "words.ts").write_text(WORDS.replace("hello", "bye"))

    def word() -> str:
        status()
        return str(_client.get(f"{address}/words/2").json().get("word"))

    wait_until(lambda: word() == "BYE BOB", "the new greeting", 60)


def test_a_run_whose_node_process_was_killed_is_tried_again(
    dev: tuple[Example, Process, str],
) -> None:
    """The worker starts another one, and the event is not lost."""
    _, _, address = dev
    assert _client.post(f"{address}/kill").status_code == 202
    found = f"{address}/words/killed"
    wait_until(lambda: _client.get(found).status_code == 200, "the second attempt", 60)
    assert _client.get(found).json() == {"attempt": 2}
