"""An app with streams, its processes, and Motia's own clients in a Node process."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import redis
from acceptance.conftest import free_port, wait_for_web
from integration.apps import Process, Project, wait_until

from motia_celery.runtime.node import find_node

#: Does what a list of operations says, in the web process or in a worker.
OPERATIONS = """
async def perform(operations, context):
    for name, group, id, *rest in operations:
        stream = context.streams["todo"]
        if name == "set":
            await stream.set(group, id, {"n": rest[0]})
        elif name == "update":
            await stream.update(group, id, [{"type": "increment", "path": "times", "by": 1}])
        elif name == "delete":
            await stream.delete(group, id)
        else:
            await stream.send({"groupId": group, "id": id}, {"type": "note", "data": rest[0]})
"""

WRITE = """
from operations import perform

config = {"type": "api", "name": "write", "method": "POST", "path": "/write", "emits": ["write"]}


async def handler(req, context):
    if req["queryParams"].get("by") == "worker":
        await context.emit({"topic": "write", "data": req["body"]})
    else:
        await perform(req["body"], context)
    return {"status": 200, "body": {}}
"""

WORK = """
from operations import perform

config = {"type": "event", "name": "work", "subscribes": ["write"], "emits": []}


async def handler(data, context):
    await perform(data, context)
"""

TODO = """
import type { StreamConfig } from 'motia';

export const config: StreamConfig = { name: 'todo', baseConfig: { storageType: 'default' } };
"""

SECRET = """
def can_access(subscription, auth_context):
    return auth_context is not None and subscription["groupId"] == auth_context["room"]


config = {"name": "secret", "baseConfig": {"storageType": "default"}, "canAccess": can_access}
"""

#: Motia 1.0's hooks: who is there is in state.
PRESENT = """
import type { StreamConfig } from 'motia';

export const config: StreamConfig = {
  name: 'present',
  baseConfig: { storageType: 'default' },
  onJoin: async ({ groupId }, { state }, auth) => {
    if (auth) await state.set('present', auth.room, true);
    return { unauthorized: groupId !== auth?.room };
  },
  onLeave: async (subscription, { state }, auth) => {
    await state.delete('present', auth.room);
  },
};
"""

CONFIG = """
import { defineConfig } from 'motia';

const tokenOf = (url: string, headers: Record<string, any>): string =>
  new URL(url, 'http://x').searchParams.get('authToken') ??
  (headers['sec-websocket-protocol'] ?? '').split(',')[1]?.trim() ?? '';

export default defineConfig({
  streamAuth: {
    async authenticate({ headers, url }) {
      const token = tokenOf(url, headers);
      if (token === 'wrong') throw new Error('no such token');
      return token ? { room: token } : null;
    },
  },
});
"""


class StreamApp:
    """The app; ``webs`` are the ports of its web processes."""

    def __init__(self, folder: Path, prefix: str, redis_url: str) -> None:
        self.project = Project(folder, prefix, redis_url, None)
        steps = folder / "steps"
        (folder / "operations.py").write_text(OPERATIONS)
        (steps / "write_step.py").write_text(WRITE)
        (steps / "work_step.py").write_text(WORK)
        (steps / "todo.stream.ts").write_text(TODO)
        (steps / "secret_stream.py").write_text(SECRET)
        (steps / "present.stream.ts").write_text(PRESENT)
        (folder / "motia.config.ts").write_text(CONFIG)
        self.http = httpx.Client(timeout=60)
        self.prefix = prefix
        self.redis = redis.Redis.from_url(redis_url)
        self.ports: list[int] = []
        self.webs: list[Process] = []

    def start_web(self, port: int | None = None) -> int:
        """Starts a web process, and gives its port."""
        port = port or free_port()
        process = self.project.command("web", port=port, host="127.0.0.1")
        wait_for_web(f"http://127.0.0.1:{port}", process)
        self.ports.append(port)
        self.webs.append(process)
        return port

    def write(self, operations: list[Any], by: str = "web") -> None:
        port = self.ports[-1]
        answer = self.http.post(f"http://127.0.0.1:{port}/write?by={by}", json=operations)
        assert answer.status_code == 200, answer.text

    def groups(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """The items of groups, by id, as the store has them."""
        found = {}
        for name in names:
            stored = self.redis.hgetall(f"{self.prefix}:stream:todo:{name}")
            items = [json.loads(value)["item"] for value in stored.values()]
            found[name] = {item["id"]: item for item in items}
        return found

    def close(self) -> None:
        self.http.close()
        self.redis.close()
        self.project.close()


class Clients:
    """The Node process with the clients."""

    def __init__(self, folder: Path, packages: Path) -> None:
        folder.mkdir()
        (folder / "node_modules").symlink_to(packages)
        script = Path(__file__).with_name("stream_clients.mjs")
        shutil.copy(script, folder)
        self._process = subprocess.Popen(
            [str(find_node()), script.name],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, *commands: dict[str, Any]) -> Any:
        """Does these, and gives what the last one gives."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(commands) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the clients ended"
        return json.loads(line)

    def states(self) -> dict[str, Any]:
        """What each subscription holds, and the events that it got."""
        found: dict[str, Any] = self.do({"do": "states"})
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Interleavings:
    """Many clients, each with groups of its own, and something at random for each of them."""

    def __init__(self, app: StreamApp, clients: Clients, count: int, seed: int) -> None:
        self.app = app
        self.clients = clients
        self.dice = random.Random(seed)
        self.names = [f"{seed}-{n}" for n in range(count)]
        self.following: dict[str, dict[str, str | None]] = {}
        self._serial = 0

    def begin(self) -> None:
        """Every client follows its group."""
        for n, name in enumerate(self.names):
            port = self.app.ports[n % len(self.app.ports)]
            kind = "node" if n % 3 else "browser"
            url = f"ws://127.0.0.1:{port}"
            self.clients.do({"do": "open", "client": name, "kind": kind, "url": url})
            self.following[name] = {}
            self._follow(name, None)

    def step(self) -> None:
        """One thing happens to each of them."""
        writes: list[Any] = []
        for name in self.names:
            chance = self.dice.random()
            if chance < 0.75:
                writes += [self._write(name) for _ in range(self.dice.randrange(1, 4))]
            elif chance < 0.85:
                self.clients.do({"do": "drop", "client": name})
            elif chance < 0.95 or len(self.following[name]) < 2:
                self._follow(name, self.dice.choice([None, "1", "2", "3"]))
            else:
                self._leave(name)
        self.app.write(writes, by=self.dice.choice(["web", "worker"]))

    def write_all(self, by: str) -> None:
        """Something in each group changes."""
        self.app.write([self._write(name) for name in self.names for _ in range(3)], by=by)

    def wait_until_same(self, seconds: float = 90) -> None:
        """Returns once every subscription holds what the store does."""
        for name in self.names:
            # An event through the worker's queue, behind all the others.
            self.app.write([["send", name, None, "end"]], by="worker")
        self.differences: list[Any] = []

        def same() -> bool:
            self.differences = [*self._differences()]
            return not self.differences

        try:
            wait_until(same, "the clients hold what the store does", seconds, pause=0.5)
        except AssertionError:
            raise AssertionError(f"different: {self.differences[:3]}") from None

    def _differences(self) -> Any:
        states, stored = self.clients.states(), self.app.groups(self.names)
        for name, subscriptions in self.following.items():
            for key, id in subscriptions.items():
                state = states[key]["state"]
                if id is None:
                    state = {item["id"]: item for item in state}
                wanted = stored[name] if id is None else stored[name].get(id)
                if state != wanted:
                    yield name, id, state, wanted

    def _follow(self, name: str, id: str | None) -> None:
        self._serial += 1
        key = f"{name}/{self._serial}"
        self.following[name][key] = id
        where = {"client": name, "as": key, "stream": "todo", "group": name, "id": id}
        self.clients.do({"do": "follow", **where})

    def _leave(self, name: str) -> None:
        key = self.dice.choice([*self.following[name]])
        del self.following[name][key]
        self.clients.do({"do": "leave", "as": key})

    def _write(self, name: str) -> list[Any]:
        self._serial += 1
        kind = self.dice.choice(["set", "set", "set", "update", "delete", "delete", "send"])
        id = self.dice.choice(["1", "2", "3"])
        return [kind, name, id, self._serial]
