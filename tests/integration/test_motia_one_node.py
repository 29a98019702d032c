"""Motia 1.0's style in TypeScript, and responses in parts, in the app's real processes."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
from integration.apps import Project, wait_until
from servers import Room

ORDERS = """
import { Stream, type StreamConfig } from 'motia';
export const config: StreamConfig = { name: 'orders', baseConfig: { storageType: 'default' } };
export const orders = new Stream(config);
"""

MIXED = """
import { cron, enqueue, http, logger, multiTriggerStep, queue, stateManager } from 'motia';
import { orders } from './orders.stream';

const isNoRobot = ({ request }: any, ctx: any) =>
  ctx.trigger.type === 'http' && request.headers['user-agent'] !== 'robot';

export const { config, handler } = multiTriggerStep({
  name: 'mixed',
  triggers: [
    http('GET', '/orders/:id'),
    http('POST', '/orders', {}, isNoRobot),
    queue('order.made', {}, async (order: any) => order.amount > 10),
    cron('* * * * * *'),
  ],
  enqueues: ['order.made', 'order.large'],
})
  .onHttp(async ({ request }: any, ctx: any) => {
    if (ctx.trigger.method === 'GET') {
      const item = await orders.get('all', request.pathParams.id);
      return { status: item ? 200 : 404, body: item };
    }
    await enqueue({ topic: 'order.made', data: request.body });
    return { status: 202, body: { path: ctx.trigger.path, index: ctx.trigger.index } };
  })
  .onQueue(async (order: any, ctx: any) => {
    const { old_value: old } = await orders.set('all', order.id, order);
    await stateManager.set('orders', 'last', order.id);
    await enqueue({ topic: 'order.large', data: { id: order.id, old, by: ctx.trigger.topic } });
  })
  .onCron(async (ctx: any) => {
    const last = await stateManager.get('orders', 'last');
    if (last) await stateManager.set('ticks', ctx.trigger.expression, last);
    logger.info('ticked');
  })
  .handlers();
"""

PARTS = """
import { http, stateManager, type StepConfig } from 'motia';

const pause = () => new Promise((done) => setTimeout(done, 10));

export const config = {
  name: 'parts',
  triggers: [http('GET', '/parts/:act'), http('GET', '/noted')],
  enqueues: [],
} as const satisfies StepConfig;

const acts: Record<string, (response: any) => Promise<unknown>> = {
  async steps(response) {
    response.status(201);
    response.headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.stream.write('data: first\\n\\n');
    while (!(await stateManager.get('parts', 'go'))) await pause();
    response.stream.write('data: second\\n\\n');
    response.close();
  },
  async fails(response) {
    await response.stream('begun');
    throw new Error('half-way');
  },
  async forever(response) {
    try {
      for (;;) {
        response.stream.write('tick\\n');
        await pause();
      }
    } catch (error: any) {
      await stateManager.set('parts', 'left', error.name);
    }
  },
  go: () => stateManager.set('parts', 'go', true),
};

export const handler = async ({ request, response }: any, ctx: any) => {
  if (ctx.trigger.index === 1) {
    const left = await stateManager.get('parts', 'left');
    return { status: 200, body: [left, await stateManager.get('ticks', '* * * * * *')] };
  }
  const result = await acts[request.pathParams.act](response);
  return result ? { status: 200, body: result } : undefined;
};
"""

PYTHON = """
from motia import MotiaHttpArgs, http

config = {"name": "python", "triggers": [http("GET", "/python")], "flows": []}


async def handler(args: MotiaHttpArgs[dict]) -> None:
    response = args.response
    await response.status(201)
    await response.headers({"content-type": "text/event-stream"})
    for number in range(3):
        response.writer.stream.write(f"data: {number}\\n\\n".encode())
    response.close()
"""

LONG_SECONDS = 60


class Shop:
    """A web process, a worker and beat; the Steps in TypeScript, one that hears them in Python."""

    def __init__(self, project: Project) -> None:
        self.project = project
        steps = project.folder / "steps"
        for name, source in (
            ("mixed.step", MIXED),
            ("parts.step", PARTS),
            ("orders.stream", ORDERS),
        ):
            (steps / f"{name}.ts").write_text(source)
        (steps / "python_step.py").write_text(PYTHON)
        project.step("classic", ["order.large"])
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self._address = f"http://127.0.0.1:{port}"
        self.web = project.command("web", port=port, host="127.0.0.1")
        self.web.wait_for_line("web.ready")
        project.worker()
        project.command("beat")

    def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        return httpx.request(method, self._address + path, timeout=LONG_SECONDS, **more)  # type: ignore[arg-type]

    @contextmanager
    def reading(self, path: str) -> Iterator[httpx.Response]:
        """A response whose parts are read as they come."""
        with httpx.stream("GET", self._address + path, timeout=LONG_SECONDS) as response:
            yield response

    def noted(self) -> list[str | None]:
        return self.ask("GET", "/noted").json()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def shop(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder, prefix = tmp_path_factory.mktemp("one"), f"o{secrets.token_hex(4)}"
    with room.redis() as server, closing(Project(folder, prefix, server.url, None)) as project:
        yield Shop(project)


def test_one_step_for_requests_events_and_the_clock(shop: Shop) -> None:
    for id, amount in (("small", 1), ("large", 11)):
        answer = shop.ask("POST", "/orders", json={"id": id, "amount": amount})
        assert (answer.status_code, answer.json()) == (202, {"path": "/orders", "index": 1})
    (done,) = shop.project.wait_for("classic", 1, seconds=LONG_SECONDS)
    assert done["data"] == {"id": "large", "old": None, "by": "order.made"}
    assert shop.ask("GET", "/orders/large").json()["amount"] == 11
    assert shop.ask("GET", "/orders/small").status_code == 404
    order = {"id": "x", "amount": 99}
    refused = shop.ask("POST", "/orders", json=order, headers={"user-agent": "robot"})
    assert (refused.status_code, refused.json()["skipped"]) == (422, True)
    wait_until(lambda: shop.noted()[1] == "large", "a tick of the mixed Step", LONG_SECONDS)


def test_parts_reach_the_client_as_they_are_written(shop: Shop) -> None:
    """The handler writes the second one after the client has read the first."""
    with shop.reading("/parts/steps") as response:
        assert (response.status_code, response.headers["content-type"]) == (
            201,
            "text/event-stream",
        )
        assert response.headers["x-trace-id"]
        parts = response.iter_text()
        assert next(parts) == "data: first\n\n"
        assert shop.ask("GET", "/parts/go").status_code == 200
        assert "".join(parts) == "data: second\n\n"
    with shop.reading("/python") as response:
        assert (response.status_code, response.read()) == (
            201,
            b"data: 0\n\ndata: 1\n\ndata: 2\n\n",
        )


def test_an_error_half_way_ends_the_connection_and_fails_the_run(shop: Shop) -> None:
    with shop.reading("/parts/fails") as response:
        parts = response.iter_text()
        assert next(parts) == "begun"
        with pytest.raises(httpx.RemoteProtocolError):
            next(parts)

    def failed() -> bool:
        listed = shop.project.command("runs", "--status", "failed", "--step", "parts", "--json")
        listed.wait()
        return "half-way" in listed.output

    wait_until(failed, "the failed run", LONG_SECONDS)


def test_a_client_that_leaves_is_an_error_that_the_handler_sees(shop: Shop) -> None:
    with shop.reading("/parts/forever") as response:
        assert next(response.iter_lines()) == "tick"
    wait_until(lambda: shop.noted()[0] == "ClientGoneError", "the end", LONG_SECONDS)
