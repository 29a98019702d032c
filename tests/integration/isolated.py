"""Apps whose Steps run isolated or in the shared process, with stores in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from motia_celery.context import Services
from motia_celery.discover import discover
from motia_celery.model.run import Run
from motia_celery.model.trace import Trace
from motia_celery.runtime.invoke import Invoker
from motia_celery.runtime.isolated import IsolatedHost
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.pythonhost import python_command
from motia_celery.stores.memory_state import MemoryState

PYTHON = """
import asyncio, os, sys, time
from datetime import date
from decimal import Decimal
from pathlib import Path

from steps.shared import seen

count = 0
config = {"type": "event", "name": "a", "subscribes": ["x"], "emits": ["t"]}


class OwnError(Exception):
    pass


async def counts(data, context):
    global count
    count += 1
    seen.append(1)
    return [count, len(seen)]


async def leaks(data, context):
    found = [os.environ.get("LEAK"), os.getcwd()]
    os.environ["LEAK"] = "yes"
    os.chdir("/")
    return found


async def dies(data, context):
    await context.state.set("g", "k", 1)
    os._exit(3)


async def exits(data, context):
    sys.exit(3)


async def busy(data, context):
    await context.emit({"topic": "t", "data": os.getpid()})
    while True:
        pass


async def emits(data, context):
    await context.emit({"topic": "t", "data": "begin"})
    await context.emit({"topic": "t", "data": "end"})
    return os.getpid()


async def cleans_up(data, context):
    try:
        await context.emit({"topic": "t", "data": "waits"})
        await asyncio.sleep(600)
    finally:
        await context.state.set("g", "cleaned", True)


async def prints(data, context):
    print("printed by the handler")


async def state(data, context):
    missing = await context.state.get("g", "none")
    kept = await context.state.set("g", "k", {"n": 1, "when": date(2026, 1, 2)})
    found = await context.state.get("g", "k")
    group = await context.state.get_group("g")
    gone = await context.state.delete("g", "k")
    await context.state.clear("g")
    return [bool(missing), str(kept["when"]), found["data"]["n"], found.get("data"), group, gone]


async def more_state(data, context):
    state = context.state
    ops = ({"type": "increment", "path": "n", "by": 2},)
    return [
        await state.set("h", "k", {"n": 1}, ttl_seconds=60),
        await state.update("h", "k", ops),
        await state.compare_and_set("h", "k", {"n": 1}, 1),
        await state.compare_and_set("h", "k", {"n": 3}, {"n": 4}, ttl_seconds=60),
        await state.list_groups(),
        await state.clear("h"),
    ]


async def bad_life(data, context):
    await context.state.set("g", "k", 1, ttl_seconds=-1)


async def bad_update(data, context):
    await context.state.update("g", "k", [{"type": "no-such", "path": "a"}])


async def streams(data, context):
    chat = context.streams.chat
    made = await chat.set("room", "1", {"text": "hi", "when": date(2026, 1, 2)})
    changed = await chat.update("room", "1", [{"type": "set", "path": "text", "value": "ho"}])
    await chat.send({"groupId": "room"}, {"type": "typing"})
    lists = [await chat.get_group("room"), await chat.list_groups()]
    again = await chat.set("room", "1", None)
    return [made, changed, *lists, again, await chat.delete("room", "1"), "chat" in context.streams]


async def bad_item(data, context):
    await context.streams.chat.set("room", "1", ["a list"])


async def bad_stream(data, context):
    context.streams.chta


async def bad_value(data, context):
    await context.state.set("g", "k", {"a": {1, 2}})


async def bad_event(data, context):
    await context.emit(topic="t", data=b"bytes")


async def no_topic(data, context):
    await context.emit({"data": 1})


async def undeclared(data, context):
    await context.emit(topic="not.listed", data=1)
    return "dropped"


async def forgets(data, context):
    context.emit(topic="t", data={"refuse": True})


async def catches(data, context):
    try:
        await context.emit(topic="t", data={"refuse": True})
    except ConnectionError as error:
        return f"caught {error}"


async def raises(data, context):
    raise OwnError("own words")


async def ids(data, context):
    return [context.run_id, context.attempt, context.max_attempts, context.flows, context.topic]


async def thing(data, context):
    from pydantic import create_model

    made = create_model("Thing", name=(str, ...))(name="n")
    return {"status": 201, "body": {"thing": made, "sum": Decimal("1.50")}}


async def raw(data, context):
    return {"status": 200, "body": b"\\x00\\xff", "headers": {"x-a": ["1", "2"]}}


async def odd(data, context):
    return {"status": 200, "body": object()}


async def nothing(data, context):
    return None


async def request(req, context):
    file = req.files["f"]
    return {
        "status": 200,
        "body": [
            req.method, req.path, len(req.raw_bytes), req.raw_body, req["pathParams"],
            req.path_params, file.content_type, file.filename, file["content"].hex(),
            req.body["f"].size, type(file).__name__, type(req).__name__,
        ],
    }


async def handler(data, context):
    act = data.get("queryParams", data)["act"]
    return await globals()[act](data, context)
"""

TYPED = """
from motia_celery import EventStep
from pydantic import BaseModel


class Order(BaseModel):
    id: int


config = EventStep(name="typed", subscribes=["x"], input=Order)


async def handler(data, context):
    return Order(**data).id
"""

THREADED = """
config = {"type": "event", "name": "threaded", "subscribes": ["x"], "emits": []}


def handler(data, context):
    context.logger.info("in a thread")
    context.emit(topic="t", data="from a thread")
    context.state.set("g", "k", {"n": 1})
    return context.state.get("g", "k")["data"]
"""

TYPESCRIPT = """
let count = 0;
export const config = { type: 'event', name: 'ts', subscribes: ['x'], emits: ['t'] };
const acts: any = {
  counts: async () => [++count, count],
  leaks: async () => {
    const found = [process.env.LEAK ?? null, process.cwd()];
    process.env.LEAK = 'yes';
    process.chdir('/');
    return found;
  },
  dies: async () => process.kill(process.pid, 'SIGKILL'),
  exits: async () => process.exit(3),
  busy: async (_: any, { emit }: any) => {
    await emit({ topic: 't', data: process.pid });
    for (;;);
  },
  emits: async (_: any, { emit }: any) => {
    await emit({ topic: 't', data: 'begin' });
    await emit({ topic: 't', data: 'end' });
    return process.pid;
  },
  prints: async () => void process.stdout.write('printed by the handler\\n'),
};
export const handler = async (data: any, context: any) => acts[data.act](data, context);
"""


def write_steps(root: Path, typescript: bool = False) -> Path:
    """The folder of an app; only one with TypeScript starts Node at its discovery."""
    (root / "steps").mkdir(parents=True)
    (root / "steps" / "shared.py").write_text("seen = []\n")
    (root / "steps" / "a_step.py").write_text(PYTHON)
    (root / "steps" / "typed_step.py").write_text(TYPED)
    (root / "steps" / "threaded_step.py").write_text(THREADED)
    if typescript:
        (root / "steps" / "ts.step.ts").write_text(TYPESCRIPT)
    return root


class Exchange:
    """Takes events; knows how many handlers are between their ``begin`` and their ``end``."""

    def __init__(self):
        self.events = []
        self.running = self.most = 0
        self.hold = None

    async def emit(self, event, options, **more):
        assert event.body  # as a publisher does; it raises for what is no JSON
        self.events.append(event)
        if isinstance(event.data, dict) and event.data.get("refuse"):
            raise ConnectionError("not confirmed")
        if event.data == "begin":
            self.running += 1
            self.most = max(self.most, self.running)
            if self.hold:
                await self.hold.wait()
        elif event.data == "end":
            self.running -= 1

    async def heard(self):
        """The first event's data, once there is one."""
        async with asyncio.timeout(60):
            while not self.events:
                await asyncio.sleep(0.01)
        return self.events[0].data


class App:
    def __init__(self, root, processes=4, everywhere=False, **services):
        self.root = root
        self.python, self.node = PythonHost(root), NodeHost(root)
        found = discover(root, self.python, self.node)
        assert found.problems == ()
        self.steps = {step.name: step for step in found.steps}
        self.exchange, self.state = Exchange(), MemoryState()
        commands = {"python": self._python, "typescript": self.node.command}
        self.host = IsolatedHost(
            root,
            commands,
            processes=processes,
            everywhere=everywhere,
            cancel_grace_seconds=services.pop("grace", 2),
        )
        names = frozenset({"chat"})
        self.services = Services(
            emitter=self.exchange, state=self.state, stream_names=names, **services
        )

    def _python(self):
        return python_command(self.root, stream_names=["chat"])

    async def run(self, name, data=None, *, isolated=True, trigger="event", timeout=None):
        step = replace(self.steps[name], isolated=isolated, timeout_seconds=timeout)
        hosts = {"python": self.python, "typescript": self.node}
        invoker = Invoker({name: step}, hosts, self.services, self.root, isolated=self.host)
        run = Run(
            id="r",
            step=name,
            trigger=trigger,
            input=data,
            trace=Trace.start(),
            flows=("f",),
            topic="x",
            attempt=2,
            max_attempts=3,
        )
        return await asyncio.wait_for(invoker.invoke(run), 60)

    async def act(self, act, name="a", **options):
        return await self.run(name, {"act": act}, **options)

    async def close(self):
        await self.host.aclose()
        await self.node.aclose()
        self.python.close()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)
