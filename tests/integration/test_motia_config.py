"""A project that leans on motia.config.ts and on Motia's commands, run whole by ``start``."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import httpx
from integration.apps import Process, Project, wait_until

CONFIG = """
import path from 'node:path';
import { defineConfig, type AuthenticateStream } from 'motia';
import { RabbitMQEventAdapter } from '@motiadev/adapter-rabbitmq-events';
import statesPlugin from '@motiadev/plugin-states/plugin';

export const authenticateStream: AuthenticateStream = async ({ queryParams, path }, { logger }) => {
  logger.info('A client', { path });
  return queryParams.token ? { context: { token: queryParams.token[0] } } : null;
};

export default defineConfig({
  redis: REDIS,
  adapters: { events: new RabbitMQEventAdapter({ url: process.env.MY_RABBIT!, durable: true }) },
  plugins: [
    statesPlugin,
    ({ registerApi, state }: any) => {
      registerApi({ method: 'POST', path: '/tell/:what' }, async (req: any, ctx: any) => {
        await ctx.state.set('told', req.pathParams.what, req.body);
        await ctx.emit({ topic: 'said', data: await state.get('told', req.pathParams.what) });
        return { status: 201, body: { by: req.by } };
      });
      return { dirname: path.join(import.meta.dirname, 'plugin'), steps: ['*.step.{ts,js}'] };
    },
  ],
  middleware: [
    async (req, ctx, next) => {
      if (req.headers['x-refused']) return { status: 403, body: { error: 'refused' } };
      Object.assign(req, { by: 'middleware' });
      const response = await next();
      return { ...response, headers: { 'x-middleware': 'on' } };
    },
  ],
});
"""

HELLO = """
config = {"type": "api", "name": "hello", "method": "GET", "path": "/hello", "emits": ["said"]}


async def handler(req, context):
    await context.emit({"topic": "said", "data": {"by": req["by"]}})
    return {"status": 200, "body": {"by": req["by"]}}
"""

PLUGIN = """
export const config = { type: 'api', name: 'plugged', method: 'GET', path: '/plugged', emits: [] };
export const handler = async (req: any) => ({ status: 200, body: { by: req.by } });
"""

STREAM = """
def can_access(subscription, auth_context):
    return auth_context is not None and auth_context["token"] == subscription["groupId"]


config = {"name": "news", "canAccess": can_access}
"""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _redis(url: str) -> str:
    """The URL as ``redis`` of the config file has it."""
    parts = urlsplit(url)
    place = {
        "host": parts.hostname,
        "port": parts.port or 6379,
        "db": int(parts.path[1:] or 0),
        "password": parts.password,
        "username": parts.username,
    }
    return json.dumps({name: value for name, value in place.items() if value is not None})


def _started(project: Project, redis_url: str, broker_url: str, port: int) -> Process:
    folder = project.folder
    (folder / "motia.config.ts").write_text(CONFIG.replace("REDIS", _redis(redis_url)))
    (folder / "plugin").mkdir()
    (folder / "plugin" / "plugged.step.ts").write_text(PLUGIN)
    (folder / "steps" / "hello_step.py").write_text(HELLO)
    (folder / "steps" / "news_stream.py").write_text(STREAM)
    (folder / ".env").write_text(f"MY_RABBIT={broker_url}\n")
    project.step("hear", ["said", "typed"])
    process = project.command(
        "start", "-v", "-p", str(port), "-H", "127.0.0.1", redis_url="", broker_url=""
    )
    process.wait_for_line("web.ready", 90)
    process.wait_for_line("worker.ready", 90)
    return process


def test_the_config_file_is_honoured_by_every_process(
    on_rabbitmq: Project, redis_url: str, broker_url: str
) -> None:
    """Its servers, its middleware in front of Python, its plugin's Step and route, and who may
    follow."""
    project, port = on_rabbitmq, _free_port()
    app = _started(project, redis_url, broker_url, port)
    address = f"http://127.0.0.1:{port}"

    answer = httpx.get(f"{address}/hello", timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"by": "middleware"})
    assert answer.headers["x-middleware"] == "on"
    assert httpx.get(f"{address}/hello", headers={"x-refused": "1"}, timeout=60).status_code == 403
    assert httpx.get(f"{address}/plugged", timeout=60).json() == {"by": "middleware"}
    told = httpx.post(f"{address}/tell/news", json={"by": "a plugin"}, timeout=60)
    assert (told.status_code, told.json()) == (201, {"by": "middleware"})
    assert httpx.get(f"{address}/__workbench/api/app", timeout=60).status_code in (401, 403, 404)

    news = f"{address}/__motia/streams/news/mine"
    with httpx.stream("GET", f"{news}?token=mine", timeout=60) as allowed:
        assert allowed.status_code == 200
    for token in ("", "?token=other"):
        assert httpx.get(f"{news}{token}", timeout=60).status_code == 403

    typed = project.command(
        *("emit", "--topic", "typed", "--message", '{"by": "hand"}', "-p", "1"),
        redis_url="",
        broker_url="",
    )
    assert typed.wait() == 0

    def heard() -> bool:
        heard = [note["data"] for note in project.notes("hear", "done")]
        return all({"by": who} in heard for who in ("middleware", "a plugin", "hand"))

    wait_until(heard, "all events", 60)
    assert project.settings(redis_url="", broker_url="").broker_url is None
    assert app.terminate() == 0
    assert "--disable-verbose does nothing" in app.words
