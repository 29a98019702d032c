"""Of a project's config file, each entry counts or is told of, with what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unit.conftest import Folder

from motia_celery.discover import read_servers
from motia_celery.discover.adapters import servers_of
from motia_celery.model.problem import Problem
from motia_celery.plan.graph import compile_flows
from motia_celery.runtime.authentication import Authentication
from motia_celery.settings import load_settings

#: What Motia's own template writes; none of these packages is installed here.
TEMPLATE = """
import { defineConfig } from '@motiadev/core';
import endpointPlugin from '@motiadev/plugin-endpoint/plugin';
import logsPlugin from '@motiadev/plugin-logs/plugin';
import observabilityPlugin from '@motiadev/plugin-observability/plugin';
const statesPlugin = require('@motiadev/plugin-states/plugin');

export default defineConfig({
  plugins: [observabilityPlugin, statesPlugin, endpointPlugin, logsPlugin],
});
"""

ADAPTERS = """
import { config } from 'motia';
import { BullMQEventAdapter } from '@motiadev/adapter-bullmq-events';
import { RabbitMQEventAdapter, type Options } from '@motiadev/adapter-rabbitmq-events';
import { RedisCronAdapter } from '@motiadev/adapter-redis-cron';
import { RedisStateAdapter as State } from '@motiadev/adapter-redis-state';

class Files { init() {} }

export default config({
  adapters: {
    state: new State(
      { socket: { host: 'cache', port: 6380, tls: true }, username: 'a', password: 'p/w', database: 2 },
      { keyPrefix: 'shop:', ttl: 3600 },
    ),
    streams: new Files(),
    events: new RabbitMQEventAdapter({
      url: 'amqp://rabbit', exchangeName: 'shop', durable: true, prefetch: 10,
    }),
    cron: new RedisCronAdapter({ url: 'redis://other' }),
  },
});
"""  # noqa: E501

PLUGINS = """
import path from 'node:path';
import wsPlugin from '@motiadev/plugin-ws/plugin';

function local(motia: any) {
  motia.registerApi({ method: 'get', path: '/local' }, async () => ({ status: 200 }));
  motia.registerApi({ method: 'POST', path: '/local' }, async () => ({ status: 200 }));
  motia.registerApi({ method: 'GET', path: '/__motia/local' }, async () => ({ status: 200 }));
  motia.registerApi({ method: 'GET', path: '/nothing' });
  return {
    dirname: path.join(import.meta.dirname, 'plugins', 'local'),
    steps: ['**/*.step.{ts,js}', '*_step.py'],
    workbench: [{ packageName: '~/plugins/local', label: 'Local' }],
  };
}

export default {
  app: (express: any) => express.use(() => {}),
  plugins: [
    local,
    wsPlugin,
    function asks({ state }: any) { state.get('a', 'b'); },
  ],
};
"""


def told(problems: tuple[Problem, ...]) -> dict[str, list[str]]:
    """What is said of each field."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        assert (problem.file, problem.severity) == ("motia.config.ts", "warning")
        found.setdefault(problem.field, []).append(problem.what)
    return found


def test_what_motia_writes_into_every_project_is_no_problem(project: Folder) -> None:
    """Its packages need not be installed: the Workbench has their panels."""
    project.write("motia.config.ts", TEMPLATE)
    assert project.discover().problems == ()


def test_adapters_name_servers_and_what_else_they_set_is_told(project: Folder) -> None:
    project.write("motia.config.ts", ADAPTERS)
    problems = told(project.discover().problems)
    assert [what.split("'")[1] for what in problems["adapters.state"]] == ["keyPrefix", "ttl"]
    assert [what.split("'")[1] for what in problems["adapters.events"]] == [
        "exchangeName",
        "prefetch",
    ]
    (streams,) = problems["adapters.streams"]
    assert streams == "the adapter Files for streams is not used: streams are in Redis"
    assert "adapters.cron" not in problems
    servers = read_servers(project.root)
    assert servers.settings == {
        "redis_url": "rediss://a:p%2Fw@cache:6380/2",
        "broker_url": "amqp://rabbit",
    }


@pytest.mark.parametrize(
    ("redis", "url"),
    [
        ({"useMemoryServer": True}, None),
        ({"useMemoryServer": True, "host": "x"}, None),
        ({"useMemoryServer": False, "host": "x", "port": 1}, "redis://x:1/0"),
        ({"host": "x"}, "redis://x:6379/0"),
        ({"host": "x", "password": "s", "db": 3}, "redis://:s@x:6379/3"),
        (None, None),
        ("x", None),
    ],
)
def test_redis_names_a_server_unless_the_app_starts_its_own(redis: Any, url: str | None) -> None:
    assert servers_of("motia.config.ts", {"redis": redis}).redis_url == url


def test_bullmq_names_its_redis(project: Folder) -> None:
    """Also by a client of Redis that was made of the same options."""
    adapter = {"package": "@motiadev/adapter-bullmq-events", "name": "BullMQEventAdapter"}
    for connection in ({"host": "q"}, {"host": "q", "port": None, "lazyConnect": True}):
        events = {**adapter, "options": [{"connection": connection}]}
        assert servers_of("", {"adapters": {"events": events}}).redis_url == "redis://q:6379/0"


def test_what_the_file_names_counts_where_nothing_else_does(tmp_path: Path) -> None:
    def settings(**environ: str) -> tuple[str, str]:
        given = {"redis_url": "redis://file"}
        found = load_settings(tmp_path, environ, project=given, project_file="motia.config.ts")
        return found.redis, found.origin("redis_url")

    assert settings() == ("redis://file", "motia.config.ts")
    assert settings(REDIS_URL="redis://b") == ("redis://b", "REDIS_URL")
    assert settings(MOTIA_REDIS_HOST="c") == ("redis://c:6379/0", "MOTIA_REDIS_HOST")
    assert settings(MOTIA_DISABLE_MEMORY_SERVER="true")[0] == "redis://file"
    alone = load_settings(tmp_path, {"MOTIA_DISABLE_MEMORY_SERVER": "true"})
    assert alone.redis == "redis://localhost:6379/0"


async def test_plugins_bring_steps_and_what_else_they_ask_for_is_told(project: Folder) -> None:
    project.write("motia.config.ts", PLUGINS)
    step = '{ type: "api", name: "%s", method: "GET", path: "/%s", emits: [], flows: ["x"] }'
    text = f"export const config = {step}; export const handler = async () => ({{}});"
    project.write("plugins/local/deep/a.step.ts", text % ("a", "a"))
    project.write("plugins/local/other.js", "throw new Error('not asked for');")
    project.write(
        "plugins/local/b_step.py",
        'config = {"type": "event", "name": "b", "subscribes": ["t"], "emits": []}\n'
        "async def handler(data): ...\n",
    )
    found = project.discover()
    assert [(step.name, step.file, step.flows) for step in found.steps] == [
        ("a", "plugins/local/deep/a.step.ts", ("_plugin",)),
        ("b", "plugins/local/b_step.py", ("_plugin",)),
        ("GET /local", "motia.config.ts", ("_plugin",)),
        ("POST /local", "motia.config.ts", ("_plugin",)),
    ]
    assert len({step.id for step in found.steps}) == 4
    assert compile_flows(found.steps) == ()
    problems = told(found.problems)
    assert {problem.line for problem in found.problems} == {18, 19}  # app, and plugins
    assert problems.keys() == {"app", "plugins"}
    panel, reserved, nothing, ws, asks = problems["plugins"]
    assert "'Local'" in panel
    assert "GET /__motia/local, which is not served" in reserved
    assert "GET /nothing with no function but undefined" in nothing
    assert "@motiadev/plugin-ws/plugin does nothing here" in ws
    assert "asks can not be built here: state.get is a part of Motia's engine" in asks


def test_a_file_that_guards_nothing_and_can_not_be_loaded_is_a_warning(project: Folder) -> None:
    project.write("motia.config.ts", "import 'nothing-such';\nexport default { plugins: [] };")
    found = project.discover()
    (problem,) = found.problems
    assert problem.severity == "warning"
    assert "runs without the file" in problem.fix
    assert (found.middleware, found.stream_auth) == (None, None)


AUTHENTICATE_STREAM = {
    "motia.config.ts": """
export const authenticateStream = async (input: any, { logger, state }: any) => {
  if (input.queryParams.token?.[0] === 'wrong') throw new Error('no such token');
  if (input.queryParams.token?.[0] === 'old') return { authorized: false };
  return input.queryParams.token && { context: { input, isContext: Boolean(logger && state) } };
};
""",
    "motia_config.py": """
from motia import StreamAuthResult


async def authenticate_stream(client, context):
    token = client.query_params.get("token", [None])[0]
    if token == "old":
        return StreamAuthResult(authorized=False)
    if token == "wrong":
        raise LookupError("no such token")
    if token:
        return {"context": {"input": client, "isContext": hasattr(context, "state")}}
""",
}


@pytest.mark.parametrize("file", AUTHENTICATE_STREAM)
async def test_authenticate_stream_of_motia_1_gets_the_client_and_a_context(
    project: Folder, file: str
) -> None:
    from motia_celery.context import Context, Services
    from motia_celery.errors import AuthenticationError
    from motia_celery.model.step import Step
    from motia_celery.stores.memory_state import MemoryState

    project.write(file, AUTHENTICATE_STREAM[file])
    found = project.discover()
    assert found.problems == ()
    assert found.stream_auth and found.stream_auth.takes_context
    services = Services(emitter=None, state=MemoryState())  # type: ignore[arg-type]
    hosts: Any = {"python": project.host, "typescript": project.node}

    def context(run: Any, auth: Any) -> Context:
        return Context(run, Step(name=run.step, file=auth.file, language=auth.language), services)

    auth = Authentication(found.stream_auth, hosts, contexts=context)
    try:
        client = {
            "headers": {"cookie": "a"},
            "path": "/live",
            "queryParams": {"token": ["x"]},
            "addr": "10.0.0.1",
        }
        told = await auth.authenticate({"cookie": "a"}, "/live?token=x", "10.0.0.1")
        assert told == {"input": client, "isContext": True}
        assert await auth.authenticate({}, "/live", "") is None
        with pytest.raises(AuthenticationError, match="no such token"):
            await auth.authenticate({}, "/?token=wrong", "")
        with pytest.raises(AuthenticationError, match="not authorized"):
            await auth.authenticate({}, "/?token=old", "")
    finally:
        await project.node.aclose()
