"""Scenarios in which processes of the app die or are replaced."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psutil
from faults.chain import node_of, pool_of
from faults.scenario import scenario
from faults.stage import Stage
from faults.tally import Tally, count, count_slots
from integration.apps import Process, wait_until

from motia_celery.model.event import run_id
from motia_celery.plan.schedule import tick_id


@scenario("worker-killed", "rabbitmq", "redis")
def worker_killed(stage: Stage) -> Tally:
    """Worker process groups are killed with -9 at random, under load."""
    app = stage.open()
    (web,), workers = app.run(workers=2)
    with stage.load(web, work=0.3) as load:
        end = stage.until(7, 60)
        while time.monotonic() < end:
            stage.some_time(1, 2)
            workers.pop(stage.random.randrange(2)).kill()
            workers.append(app.worker())
    return stage.tally(load)


@scenario("pool-child-killed")
def pool_child_killed(stage: Stage) -> Tally:
    """Processes of a prefork pool are killed with -9 at random, under load."""
    app = stage.open(concurrency=4, pool="prefork")
    (web,), (worker,) = app.run()
    wait_until(lambda: pool_of(worker), "pool processes")
    with stage.load(web, rate=8, work=0.1) as load:
        end = stage.until(7, 60)
        while time.monotonic() < end:
            stage.some_time(0.5, 1.5)
            with suppress(psutil.NoSuchProcess, IndexError):
                stage.random.choice(pool_of(worker)).kill()
    return stage.tally(load)


@scenario("node-killed")
def node_killed(stage: Stage) -> Tally:
    """The Node process beside a worker is killed with -9 at random, under load."""
    app = stage.open()
    (web,), (worker,) = app.run()
    with stage.load(web, work=0.2) as load:
        end = stage.until(7, 60)
        while time.monotonic() < end:
            stage.some_time(0.5, 2)
            with suppress(psutil.NoSuchProcess, IndexError):
                stage.random.choice(node_of(worker)).kill()
    return stage.tally(load)


@scenario("replay-killed", "rabbitmq", "redis")
def replay_killed(stage: Stage) -> Tally:
    """`dlq replay` is killed with -9 half-way, again and again, until no dead letter is left."""
    app = stage.open()
    mend = app.break_left()
    app.run(webs=0)
    load = stage.load(work=0.01)
    load.burst(int(stage.lasting(200, 1000)))
    stage.rest(set())
    mend()
    for _ in range(int(stage.lasting(4, 12))):
        _kill_replay(stage)
    assert app.command("dlq", "replay", "--all").wait(60) == 0
    return stage.tally(load)


def _kill_replay(stage: Stage) -> None:
    before = stage.app.count()
    replay = stage.app.command("dlq", "replay", "--all")
    wait_until(
        lambda: stage.app.count() > before or not replay.running, "the first replays", 60, 0.002
    )
    time.sleep(stage.random.uniform(0, 0.05))
    replay.kill()


@scenario("beat-killed", repeats=False)
def beat_killed(stage: Stage) -> Tally:
    """The leading one of two beats is killed with -9 around a slot, again and again."""
    every = 6
    app = stage.open(cron=f"*/{every} * * * * *", beat_lock_seconds=2)
    app.worker()
    beats = [app.beat(), app.beat()]
    app.wait_for(1)
    first = _slot(every) + timedelta(seconds=every)
    for _ in range(int(stage.lasting(3, 10))):
        time.sleep(every - time.time() % every + stage.random.uniform(-0.3, 0.3))
        leader = next(beat for beat in beats if _leads(beat.output))
        leader.kill()
        beats.remove(leader)
        beats.append(app.beat())
        wait_until(lambda: any(_leads(beat.output) for beat in beats), "a new leader", 60)
    last = _slot(every)
    queue = app.names.queue("ticks")
    slots = [
        first + timedelta(seconds=every * number)
        for number in range(int((last - first).total_seconds()) // every + 1)
    ]
    runs = [run_id(tick_id(app.names.prefix, "ticks", slot), queue) for slot in slots]
    with suppress(AssertionError):  # what does not come is counted
        wait_until(lambda: {*runs} <= {line.run for line in app.lines()}, "every slot", 60)
    return count_slots(runs, app.lines())


def _leads(output: str) -> bool:
    """Whether a beat that said this is the leader."""
    return output.rfind("beat.leads") > output.rfind("beat.stands_by")


def _slot(every: int) -> datetime:
    """The slot that came last."""
    return datetime.fromtimestamp(time.time() // every * every, UTC)


def _standing_by(beat: Process) -> Process:
    """The beat, once it waits for its turn or leads."""
    beat.wait_for_line('"action":"beat.', 60)
    return beat


@scenario("rolling-restart", "rabbitmq", "redis", repeats=False)
def rolling_restart(stage: Stage) -> Tally:
    """Every worker, web and beat process is replaced, one after the other, under load.

    What a process still runs when its time to stop is over is cut, and runs again elsewhere; a
    thread that could not be cut may end all the same, and that is no end that counts.
    """
    soft_seconds = stage.lasting(3, 20)
    app = stage.open(soft_shutdown_seconds=soft_seconds)
    webs, workers = app.run(webs=2, workers=2)
    beats = [app.beat(), app.beat()]
    cuts = {}
    with stage.load(*webs, rate=15, work=0.2) as load:
        for worker in workers:
            app.worker()
            cuts[worker.pid] = time.time() + soft_seconds
            assert worker.terminate(60) == 0, worker.output[-3000:]
        for web in webs:
            assert web.process.terminate(60) in (0, -signal.SIGTERM), web.process.output[-3000:]
            web.process = app.web(web.port).process
        for beat in [*beats]:
            beats.append(_standing_by(app.beat()))
            assert beat.terminate(60) == 0, beat.output[-3000:]
    for beat in beats[2:]:
        beat.terminate(60)  # nothing comes to rest while the clock ticks
    assert not load.refused, f"refused: {load.reasons}"
    tally = stage.tally(load)
    in_time = [line for line in app.lines() if line.at < cuts.get(line.pid, line.at + 1)]
    return replace(tally, repeated=count(load.sent, in_time, set()).repeated)
