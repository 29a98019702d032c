"""Isolated runs: each in a process of its own, and otherwise as in the shared one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading

import psutil
import pytest
from integration.apps import ROOT, wait_until
from integration.isolated import App, until, write_steps

from motia_celery.model.run import Failure, Success
from motia_celery.runtime.isolated import SPARES

BOTH = pytest.mark.parametrize("name", ["a", "ts"])


@pytest.fixture
def name():
    """The Step in Python; tests of both languages have it as a parameter."""
    return "a"


@pytest.fixture
def folder(tmp_path, name):
    return write_steps((tmp_path / "app").resolve(), typescript=name == "ts")


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


@pytest.mark.parametrize("name", ["ts"])
async def test_every_process_is_gone_after_the_end(app, name):
    app.exchange.hold = asyncio.Event()
    running = asyncio.create_task(app.act("emits", name))
    await app.exchange.heard()
    await app.act("counts")
    pids = app.host.pids
    assert len(pids) > 1
    await app.host.aclose()
    app.exchange.hold.set()
    assert (await running).error.type == "HostDiedError"
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


@BOTH
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


PARENT = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from integration.isolated import App

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
