"""Isolated runs: each in a process of its own, and otherwise as in the shared one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace

import psutil
import pytest
from integration.apps import ROOT, wait_until

from motia_celery.context import Services
from motia_celery.context.request import Request, Upload
from motia_celery.discover import discover
from motia_celery.model.run import Failure, Run, Success
from motia_celery.model.trace import Trace
from motia_celery.run.responses import build_response
from motia_celery.runtime.invoke import Invoker
from motia_celery.runtime.isolated import SPARES, IsolatedHost
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.pythonhost import python_command
from motia_celery.stores.state import MemoryState

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

BOTH = pytest.mark.parametrize("name", ["a", "ts"])


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


@pytest.fixture
def folder(tmp_path):
    root = (tmp_path / "app").resolve()
    (root / "steps").mkdir(parents=True)
    (root / "steps" / "shared.py").write_text("seen = []\n")
    (root / "steps" / "a_step.py").write_text(PYTHON)
    (root / "steps" / "typed_step.py").write_text(TYPED)
    (root / "steps" / "threaded_step.py").write_text(THREADED)
    (root / "steps" / "ts.step.ts").write_text(TYPESCRIPT)
    return root


@pytest.fixture
async def make(folder):
    made = []

    def make(**options):
        made.append(App(folder, **options))
        return made[-1]

    yield make
    for app in made:
        await app.close()


@pytest.fixture
def app(make):
    return make()


@BOTH
async def test_module_state_is_shared_unless_the_run_is_isolated(app, name):
    shared = [(await app.act("counts", name, isolated=False)).result for _ in range(3)]
    isolated = [(await app.act("counts", name)).result for _ in range(3)]
    assert shared == [[1, 1], [2, 2], [3, 3]]
    assert isolated == [[1, 1]] * 3


async def test_a_steps_own_word_counts_before_the_apps(make):
    app = make(everywhere=True)
    by_default = [(await app.act("counts", isolated=None)).result for _ in range(2)]
    shared = [(await app.act("counts", isolated=False)).result for _ in range(2)]
    assert by_default == [[1, 1], [1, 1]]
    assert shared == [[1, 1], [2, 2]]
    app = make()
    assert (await app.act("counts", isolated=None)).result == [3, 3]


@BOTH
async def test_the_environment_and_the_working_directory_do_not_leak(app, name):
    found = [(await app.act("leaks", name)).result for _ in range(3)]
    assert found == [[None, str(app.root)]] * 3


async def test_nothing_is_started_before_the_first_isolated_run(app):
    await app.act("counts", isolated=False)
    assert app.host.pids == frozenset()
    await app.act("counts")
    assert app.host.pids


@BOTH
async def test_a_run_that_ends_its_process_fails_alone(app, name):
    app.exchange.hold = asyncio.Event()
    neighbour = asyncio.create_task(app.act("emits"))
    await app.exchange.heard()
    outcome = await app.act("dies", name)
    app.exchange.hold.set()
    assert outcome.error.type == "HostDiedError"
    assert ("exit code 3" if name == "a" else "signal 9") in outcome.error.message
    assert isinstance(await neighbour, Success)
    assert (await app.act("counts", name)).result == [1, 1]


@BOTH
async def test_a_run_that_asks_to_exit_fails_alone(app, name):
    outcome = await app.act("exits", name)
    assert isinstance(outcome, Failure)
    assert (await app.act("counts", name)).result == [1, 1]


@BOTH
async def test_a_busy_loop_is_killed_at_its_timeout_and_its_neighbour_goes_on(make, name):
    app = make(grace=0.2)
    app.exchange.hold = asyncio.Event()
    neighbour = asyncio.create_task(app.act("emits"))
    assert await app.exchange.heard() == "begin"
    app.exchange.events.clear()
    outcome = await app.act("busy", name, timeout=5)
    pid = await app.exchange.heard()
    assert outcome.error.type == "RunTimeoutError"
    await until(lambda: not psutil.pid_exists(pid))
    app.exchange.hold.set()
    assert isinstance(await neighbour, Success)
    assert (await app.act("counts", name)).result == [1, 1]


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


@BOTH
async def test_no_more_run_at_once_than_allowed(make, name):
    app = make(processes=2)
    app.exchange.hold = asyncio.Event()
    runs = asyncio.gather(*(app.act("emits", name) for _ in range(7)))
    await until(lambda: app.exchange.running == 2)
    await until(lambda: len(app.host.pids) == 2 + SPARES)
    app.exchange.hold.set()
    assert len({outcome.result for outcome in await runs}) == 7
    assert app.exchange.most == 2
    assert len(app.host.pids) <= 2 + SPARES


async def test_the_time_that_a_run_waits_for_a_process_is_not_the_handlers(make):
    app = make(processes=1)
    app.exchange.hold = asyncio.Event()
    first = asyncio.create_task(app.act("emits"))
    assert await app.exchange.heard() == "begin"
    second = asyncio.create_task(app.act("counts", timeout=5))
    await asyncio.sleep(5.2)
    assert not second.done()
    app.exchange.hold.set()
    assert isinstance(await first, Success)
    assert isinstance(await second, Success)


async def test_a_run_that_is_cut_while_it_waits_leaves_room(make):
    app = make(processes=1)
    app.exchange.hold = asyncio.Event()
    first = asyncio.create_task(app.act("emits"))
    assert await app.exchange.heard() == "begin"
    waiting = asyncio.create_task(app.act("counts"))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    app.exchange.hold.set()
    assert isinstance(await first, Success)
    assert isinstance(await app.act("counts"), Success)


async def test_a_cut_handler_cleans_up_as_in_the_shared_process(app):
    outcome = await app.act("cleans_up", timeout=5)
    assert outcome.error.type == "RunTimeoutError"
    async with asyncio.timeout(60):
        while await app.state.get("g", "cleaned") is None:
            await asyncio.sleep(0.02)


async def test_a_spare_that_ended_is_not_used(app):
    await app.act("counts")
    await until(lambda: len(app.host.pids) >= SPARES)
    for pid in app.host.pids:
        os.kill(pid, signal.SIGKILL)
    assert (await app.act("counts")).result == [1, 1]


async def test_every_process_is_gone_after_the_end(app):
    app.exchange.hold = asyncio.Event()
    running = asyncio.create_task(app.act("emits", "ts"))
    await app.exchange.heard()
    await app.act("counts")
    pids = app.host.pids
    assert len(pids) > 1
    await app.host.aclose()
    app.exchange.hold.set()
    assert (await running).error.type == "HostDiedError"
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


@pytest.mark.parametrize("name", ["a", "ts"])
async def test_what_a_handler_prints_reaches_the_terminal(app, name, capfd):
    assert await app.act("prints", name) == Success(None)
    assert capfd.readouterr().out == "printed by the handler\n"


async def held(app):
    """Open files, processes, threads and megabytes of this process, once only spares are left."""
    me = psutil.Process()
    await until(lambda: len(app.host.pids) == SPARES)
    await until(lambda: sum(t.name == "host-watch" for t in threading.enumerate()) == SPARES)
    return me.num_fds(), len(me.children()), threading.active_count(), me.memory_info().rss >> 20


@BOTH
async def test_sixty_runs_leave_nothing_behind(app, name):
    """Neither those that end well, nor those that fail or die."""
    acts = ("counts", "exits", "counts", "dies")
    for act in acts:
        await app.act(act, name)
    files, processes, threads, megabytes = await held(app)
    for _ in range(15):
        await asyncio.gather(*(app.act(act, name) for act in acts))
    now = await held(app)
    assert now[:3] == (files, processes, threads)
    assert now[3] < megabytes + 20


def told(outcome):
    """What counts of an outcome."""
    if isinstance(outcome, Failure):
        error = outcome.error
        return error.type, error.message, error.where, error.traceback.splitlines()[-1:]
    return outcome.result


@pytest.mark.parametrize(
    "act",
    [
        "state",
        "more_state",
        "bad_life",
        "bad_update",
        "streams",
        "bad_item",
        "bad_stream",
        "bad_value",
        "bad_event",
        "no_topic",
        "undeclared",
        "forgets",
        "catches",
        "raises",
        "exits",
        "ids",
        "not-there",
    ],
)
@pytest.mark.parametrize("strict", [False, True])
async def test_the_context_is_the_same_in_both(make, act, strict, caplog):
    app = make(strict_emits=strict)
    outcomes, events, lines = [], [], []
    for isolated in (False, True):
        caplog.clear()
        app.exchange.events.clear()
        outcomes.append(told(await app.act(act, isolated=isolated)))
        events.append(
            [(e.topic, e.data, e.group, e.parent_id, e.root_id) for e in app.exchange.events]
        )
        lines.append([r.getMessage() for r in caplog.records if r.name == "motia_celery.step"])
    assert outcomes[0] == outcomes[1]
    assert events[0] == events[1]
    assert lines[0] == lines[1]


@pytest.mark.parametrize("act", ["thing", "raw", "nothing"])
async def test_a_response_is_the_same_in_both(app, act):
    results = [
        (await app.act(act, isolated=isolated, trigger="http")).result for isolated in (False, True)
    ]
    if results[0] is None:
        assert results[1] is None
    else:
        assert build_response(results[0]) == build_response(results[1])


async def test_a_result_that_can_not_cross_fails_a_request_and_no_event(app):
    outcome = await app.act("odd", trigger="http")
    assert outcome.error.type == "FrameError"
    assert "object" in outcome.error.message
    assert await app.act("odd") == Success(None)


async def test_a_request_is_the_same_in_both(app):
    def request():
        file = Upload(filename="f.png", contentType="image/png", content=b"\x00\xff", size=2)
        values = {
            "pathParams": {"id": "7"},
            "queryParams": {"act": "request"},
            "body": {"f": file},
            "headers": {},
            "rawBody": "",
            "files": {"f": file},
        }
        return Request(values, method="PUT", path="/files/7", raw_bytes=b"\x00" * 5)

    shared, isolated = [
        await app.run("a", request(), isolated=isolated, trigger="http")
        for isolated in (False, True)
    ]
    assert shared == isolated
    assert isinstance(shared, Success), shared
    assert shared.result["body"][:4] == ["PUT", "/files/7", 5, ""]


async def test_a_typed_config(app):
    assert await app.run("typed", {"id": 7}) == Success(7)


async def test_a_plain_def_handler_in_its_thread(app, caplog):
    caplog.set_level("INFO")
    assert await app.run("threaded") == Success({"n": 1})
    assert "in a thread" in caplog.text
    assert app.exchange.events[0].data == "from a thread"


PARENT = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from integration.test_isolated_host import App

async def main():
    app = App(Path({root!r}))
    running = asyncio.create_task(app.act("busy", {name!r}))
    print(await app.exchange.heard(), flush=True)
    await running

asyncio.run(main())
"""


@BOTH
def test_a_busy_process_ends_when_its_parent_is_killed(folder, name):
    script = textwrap.dedent(PARENT).format(tests=str(ROOT / "tests"), root=str(folder), name=name)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(parent.stdout.readline())
        children = psutil.Process(parent.pid).children(recursive=True)
        assert pid in [child.pid for child in children]
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    wait_until(lambda: not any(child.is_running() for child in children), "no child is left")
