"""Beat on a real Redis: each slot once, none lost, and one leader at a time."""

import json
import logging
import os
import signal
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from celery import Celery
from servers import free_port

from motia_celery.broker.beat_settings import redbeat_settings
from motia_celery.broker.schedule import (
    RETRY_SECONDS,
    CronSchedule,
    Entry,
    beat_schedule,
    scheduler_class,
)
from motia_celery.errors import EmitError
from motia_celery.plan.schedule import ScheduleEntry, tick_id
from motia_celery.settings import Settings
from motia_celery.stores.embedded import find_server

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)

#: A beat process that writes a line for each tick: id, name, slot, time.
BEAT = """
import json, sys, time
from celery import Celery
from motia_celery.broker.beat_settings import redbeat_settings
from motia_celery.broker.schedule import beat_schedule, run_beat, scheduler_class
from motia_celery.plan.schedule import ScheduleEntry, tick_id
from motia_celery.settings import Settings

url, prefix, lock_seconds, crons, path = sys.argv[1:]
app = Celery(broker="memory://", set_as_current=False)
app.conf.update(redbeat_settings(
    Settings(redis_url=url, prefix=prefix, beat_lock_seconds=float(lock_seconds))))
app.conf.beat_schedule = beat_schedule(
    ScheduleEntry(step=step, expression=cron, timezone="UTC")
    for step, cron in json.loads(crons).items())

def send(name, slot):
    line = json.dumps([tick_id(prefix, name, slot), name, slot.isoformat(), time.time()])
    with open(path, "a") as file:
        file.write(line + "\\n")

run_beat(app, scheduler_class(send), "info")
"""


class Beats:
    """Beat processes on one schedule, and the ticks that each has sent."""

    def __init__(self, url, prefix, folder, lock_seconds):
        self.url, self.prefix, self.folder, self.lock_seconds = url, prefix, folder, lock_seconds
        self.processes = {}

    def start(self, name, crons):
        arguments = [self.url, self.prefix, str(self.lock_seconds), json.dumps(crons)]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", BEAT, *arguments, self.folder / name],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT))},
                stderr=log,
            )

    def ticks(self, name):
        file = self.folder / name
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def leader(self):
        """The process that sends, once there is one."""
        wait_until(lambda: any(self.ticks(name) for name in self.processes))
        return max(self.processes, key=lambda name: len(self.ticks(name)))

    def stop(self):
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
def beats(redis_url, name_prefix, tmp_path):
    running = Beats(redis_url, name_prefix, tmp_path, lock_seconds=2)
    yield running
    running.stop()


class Sent:
    """A ``send`` that notes each call and fails as often as told."""

    def __init__(self):
        self.calls = []
        self.failures = 0

    def __call__(self, name, slot):
        self.calls.append((name, slot))
        if self.failures:
            self.failures -= 1
            raise EmitError("the broker does not answer.")


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def beat(redis_url, name_prefix, sent):
    """Makes a scheduler of this process; call its ``tick``."""
    made = []

    def make(crons, lock_seconds=5, url=redis_url, send=sent, zone="UTC"):
        scheduler = scheduler_class(send)(app_for(url, name_prefix, crons, lock_seconds, zone))
        made.append(scheduler)
        return scheduler

    yield make
    for scheduler in made:
        scheduler.close()
        scheduler.app.redbeat_redis.close()


def app_for(url, prefix, crons, lock_seconds, zone):
    app = Celery(broker="memory://", set_as_current=False)
    settings = Settings(redis_url=url, prefix=prefix, beat_lock_seconds=lock_seconds)
    app.conf.update(redbeat_settings(settings))
    app.conf.beat_schedule = beat_schedule(
        ScheduleEntry(step=step, expression=cron, timezone=zone) for step, cron in crons.items()
    )
    return app


def entry(scheduler, name):
    return Entry.from_key(Entry.generate_key(scheduler.app, name), app=scheduler.app)


def rewind(scheduler, name, span):
    """As if the last tick had been sent that long ago."""
    entry(scheduler, name).reschedule(datetime.now(UTC) - span)


def lock_key(prefix):
    return f"{prefix}:redbeat::lock"


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=True) as connected:
        yield connected


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


class TestSeveralBeats:
    """Of any number of beat processes one sends, and another takes over."""

    def test_each_second_is_sent_once_on_time_and_a_standby_takes_over(self, beats, client):
        for name in ("one", "two"):
            beats.start(name, {"tick": "* * * * * *"})
        leader = beats.leader()
        wait_until(lambda: len(beats.ticks(leader)) >= 5)
        (standby,) = beats.processes.keys() - {leader}
        self.check_one_tick_a_second(beats.ticks(leader))
        assert beats.ticks(standby) == []

        # When the leader is killed
        beats.processes[leader].send_signal(signal.SIGKILL)
        killed = time.time()
        wait_until(lambda: beats.ticks(standby))
        # Then the standby is there when the lock has run out, and sends no slot again
        assert beats.ticks(standby)[0][3] - killed < beats.lock_seconds + 30
        ids = [tick[0] for name in (leader, standby) for tick in beats.ticks(name)]
        assert len(ids) == len(set(ids))

        # When that one is asked to stop, it ends well and leaves no lock behind
        beats.processes[standby].send_signal(signal.SIGTERM)
        assert beats.processes[standby].wait(60) == 0
        assert not client.exists(lock_key(beats.prefix))
        assert "Traceback" not in beats.log(standby)

    def check_one_tick_a_second(self, ticks):
        slots = [datetime.fromisoformat(tick[2]) for tick in ticks]
        assert len(slots) >= 5
        assert slots == [slots[0] + timedelta(seconds=i) for i in range(len(slots))]
        assert all(
            0 <= tick[3] - slot.timestamp() < 10 for tick, slot in zip(ticks, slots, strict=True)
        )

    def test_a_standby_takes_over_at_once_from_a_leader_that_is_stopped(self, beats):
        beats.lock_seconds = 600
        for name in ("one", "two"):
            beats.start(name, {"tick": "* * * * * *"})
        leader = beats.leader()
        (standby,) = beats.processes.keys() - {leader}
        wait_until(lambda: "standing by" in beats.log(standby))
        beats.processes[leader].send_signal(signal.SIGINT)
        wait_until(lambda: beats.ticks(standby))
        assert beats.processes[leader].wait(60) == 0

    def test_beat_waits_for_a_redis_that_is_not_there_yet_and_can_be_stopped(self, beats):
        beats.url = "redis://127.0.0.1:1/0"
        beats.start("one", {"tick": "* * * * * *"})
        wait_until(lambda: "Redis does not answer" in beats.log("one"))
        assert beats.processes["one"].poll() is None
        beats.processes["one"].send_signal(signal.SIGTERM)
        assert beats.processes["one"].wait(60) == 0
        assert "Traceback" not in beats.log("one")


class TestSlots:
    """What is sent, and when a slot counts as done."""

    def test_a_new_entry_waits_for_its_next_slot(self, beat, sent):
        scheduler = beat({"yearly": "@yearly"})
        scheduler.tick()
        scheduler.tick()
        assert sent.calls == []

    def test_a_send_that_fails_is_tried_again_with_the_same_slot(self, beat, sent, caplog):
        scheduler = beat({"daily": "@daily"})
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        sent.failures = 2
        waits = [scheduler.tick() for _ in range(4)]
        assert max(waits[:2]) <= RETRY_SECONDS
        assert len(sent.calls) == 3
        assert len({tick_id("motia", name, slot) for name, slot in sent.calls}) == 1
        assert sent.calls[0][1].tzinfo is UTC
        assert entry(scheduler, "daily").last_run_at == sent.calls[0][1]
        assert [r.action for r in caplog.records if r.levelno == logging.ERROR] == [
            "cron.send_failed",
            "cron.send_failed",
        ]

    def test_one_step_that_can_not_be_sent_does_not_hold_up_the_others(self, beat):
        calls = []

        def send(name, slot):
            calls.append(name)
            if name == "bad":
                raise KeyError(name)

        scheduler = beat({"bad": "@daily", "good": "@daily"}, send=send)
        scheduler.tick()
        for name in ("bad", "good"):
            rewind(scheduler, name, timedelta(days=1))
        scheduler.tick()
        scheduler.tick()
        assert sorted(calls) == ["bad", "bad", "good"]

    def test_of_several_missed_slots_only_the_latest_is_sent(self, beat, sent, caplog):
        scheduler = beat({"often": "*/10 * * * *"})
        scheduler.tick()
        rewind(scheduler, "often", timedelta(hours=5))
        before = datetime.now(UTC)
        scheduler.tick()
        scheduler.tick()
        ((_, slot),) = sent.calls
        assert before - 10 * MINUTE < slot <= datetime.now(UTC)
        assert "cron.missed" in [getattr(record, "action", "") for record in caplog.records]

    def test_slots_are_those_of_the_entrys_time_zone(self, beat, sent):
        scheduler = beat({"noon": "0 12 * * *"}, zone="Asia/Tokyo")
        scheduler.tick()
        rewind(scheduler, "noon", timedelta(days=1))
        scheduler.tick()
        assert sent.calls[0][1].hour == 3

    def test_a_slot_missed_while_no_beat_ran_is_sent_at_the_next_start(self, beat, sent):
        first = beat({"daily": "@daily"})
        first.tick()
        rewind(first, "daily", timedelta(days=1))
        first.close()
        beat({"daily": "@daily"}).tick()
        assert len(sent.calls) == 1


class TestLock:
    """A beat whose lock was lost stands by, and leads again when it is free."""

    def test_a_stall_longer_than_the_lock_does_not_end_beat(self, beat, sent):
        scheduler = beat({"daily": "@daily"}, lock_seconds=1)
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        time.sleep(1.3)
        scheduler.tick()
        assert len(sent.calls) == 1

    def test_it_sends_nothing_while_another_holds_the_lock(self, beat, sent, client, name_prefix):
        scheduler = beat({"daily": "@daily"})
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        client.set(lock_key(name_prefix), "another beat", px=900)
        wait = scheduler.tick()
        assert sent.calls == []
        assert 0 < wait <= 0.9  # it is back when the lock runs out
        time.sleep(wait + 0.01)
        scheduler.tick()
        assert len(sent.calls) == 1

    def test_a_lock_that_ran_out_since_the_last_try_is_tried_for_at_once(self, beat, monkeypatch):
        scheduler = beat({"daily": "@daily"})
        monkeypatch.setattr(scheduler._lock, "acquire", lambda **_: False)
        assert scheduler.tick() < 0.01

    def test_a_lock_without_an_end_is_looked_at_once_a_loop(self, beat, client, name_prefix):
        client.set(lock_key(name_prefix), "another beat")
        assert beat({"daily": "@daily"}).tick() == 1

    def test_closing_leaves_another_beats_lock_alone(self, beat, client, name_prefix):
        scheduler = beat({"daily": "@daily"})
        scheduler.tick()
        client.set(lock_key(name_prefix), "another beat")
        scheduler.close()
        assert client.get(lock_key(name_prefix)) == "another beat"

    def test_a_lock_lost_while_sending_marks_nothing_and_sends_no_slot_twice(
        self, beat, client, name_prefix
    ):
        calls = []

        def slow_send(name, slot):
            calls.append(slot)
            client.set(lock_key(name_prefix), "another beat", px=2000)

        scheduler = beat({"daily": "@daily"}, send=slow_send)
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        scheduler.tick()
        assert entry(scheduler, "daily").last_run_at < calls[0]
        time.sleep(2.05)
        scheduler.tick()
        assert len(calls) == 1
        assert entry(scheduler, "daily").last_run_at == calls[0]


class TestStoredEntries:
    """The schedule in Redis is the one of the beat that leads."""

    def test_entries_of_removed_steps_go(self, beat, client, name_prefix):
        first = beat({"kept": "@daily", "removed": "@daily"})
        first.tick()
        first.close()
        beat({"kept": "@daily"}).tick()
        prefix = f"{name_prefix}:redbeat:"
        assert not client.exists(f"{prefix}removed")
        assert client.zrange(f"{prefix}:schedule", 0, -1) == [f"{prefix}kept"]
        assert client.smembers(f"{prefix}:statics") == {"kept"}

    def test_the_last_entry_goes_too(self, beat, client, name_prefix):
        first = beat({"removed": "@daily"})
        first.tick()
        first.close()
        beat({}).tick()
        assert client.zcard(f"{name_prefix}:redbeat::schedule") == 0

    @pytest.mark.parametrize(("cron", "zone"), [("0 12 * * *", "UTC"), ("@daily", "Asia/Tokyo")])
    def test_a_changed_expression_or_zone_starts_from_now(self, beat, sent, cron, zone):
        first = beat({"daily": "@daily"})
        first.tick()
        rewind(first, "daily", timedelta(days=2))
        first.close()
        second = beat({"daily": cron}, zone=zone)
        second.tick()
        assert sent.calls == []
        assert entry(second, "daily").schedule == CronSchedule(cron, zone)

    def test_an_entry_that_can_not_be_read_is_dropped_and_the_rest_runs(
        self, beat, sent, client, name_prefix
    ):
        scheduler = beat({"bad": "@daily", "good": "@daily"})
        scheduler.tick()
        rewind(scheduler, "good", timedelta(days=1))
        key = f"{name_prefix}:redbeat:bad"
        client.hset(key, "definition", client.hget(key, "definition").replace("@daily", "@never"))
        client.zadd(f"{name_prefix}:redbeat::schedule", {key: 1})
        scheduler.tick()
        assert [name for name, _ in sent.calls] == ["good"]

    def test_an_entry_without_a_last_tick_starts_from_now(self, beat, sent, client, name_prefix):
        scheduler = beat({"daily": "@daily"})
        scheduler.tick()
        client.hdel(f"{name_prefix}:redbeat:daily", "meta")
        client.zadd(f"{name_prefix}:redbeat::schedule", {f"{name_prefix}:redbeat:daily": 1})
        scheduler.tick()
        assert sent.calls == []
        assert entry(scheduler, "daily").last_run_at is not None

    def test_a_disabled_entry_is_not_sent(self, beat, sent):
        scheduler = beat({"daily": "@daily"})
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        disabled = entry(scheduler, "daily")
        disabled.enabled = False
        disabled.save()
        scheduler.tick()
        assert sent.calls == []

    def test_an_expression_that_is_over_is_stored_and_never_sent(self, beat, sent):
        scheduler = beat({"past": "0 0 0 1 1 * 2020"})
        scheduler.tick()
        assert entry(scheduler, "past").score == -1
        assert sent.calls == []


class Valkey:
    """A server that a test stops and starts again on the same port."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--appendonly", "yes"]
        self.process = subprocess.Popen(
            [find_server(), *options, "--dir", self.folder], stdout=subprocess.DEVNULL
        )
        wait_until(self.answers)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def answers(self):
        with redis.Redis.from_url(self.url) as client, suppress(redis.RedisError):
            return client.ping()
        return False


@pytest.fixture
def valkey(tmp_path):
    server = Valkey(tmp_path)
    yield server
    server.stop()


class TestRedisAway:
    """Redis may go and come back; beat stays."""

    def test_beat_goes_on_when_redis_is_back(self, beat, sent, valkey, caplog):
        caplog.set_level(logging.INFO)
        scheduler = beat({"daily": "@daily"}, lock_seconds=2, url=valkey.url)
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        valkey.stop()
        started = time.monotonic()
        scheduler.tick()
        scheduler.tick()
        assert time.monotonic() - started < 10
        valkey.start()
        wait_until(lambda: scheduler.tick() and sent.calls)
        actions = [getattr(record, "action", "") for record in caplog.records]
        assert actions.count("beat.redis_away") == 1
        assert actions.count("beat.redis_back") == 1

    def test_a_restart_of_redis_between_two_ticks_costs_no_tick(self, beat, sent, valkey):
        scheduler = beat({"daily": "@daily"}, lock_seconds=5, url=valkey.url)
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        valkey.stop()
        valkey.start()
        scheduler.tick()
        assert len(sent.calls) == 1

    def test_a_slot_whose_mark_was_lost_is_not_sent_again(self, beat, valkey):
        calls = []

        def send(name, slot):
            calls.append(slot)
            valkey.stop()

        scheduler = beat({"daily": "@daily"}, lock_seconds=2, url=valkey.url, send=send)
        scheduler.tick()
        rewind(scheduler, "daily", timedelta(days=1))
        scheduler.tick()
        valkey.start()
        wait_until(lambda: scheduler.tick() and entry(scheduler, "daily").last_run_at == calls[0])
        assert len(calls) == 1

    def test_a_schedule_that_could_not_be_stored_is_stored_at_the_next_tick(
        self, beat, monkeypatch
    ):
        scheduler = beat({"daily": "@daily"})
        with monkeypatch.context() as broken:
            broken.setattr(Entry, "save", lambda _: (_ for _ in ()).throw(redis.ConnectionError()))
            scheduler.tick()
        scheduler.tick()
        assert entry(scheduler, "daily").name == "daily"

    def test_closing_without_redis_ends_quietly(self, beat, valkey):
        scheduler = beat({"daily": "@daily"}, url=valkey.url)
        scheduler.tick()
        valkey.stop()
        scheduler.close()
        valkey.start()


class TestSettings:
    """What beat needs in Celery's configuration."""

    def settings(self, **changes):
        return redbeat_settings(Settings(redis_url="rediss://:pw@cache:6380/0", **changes))

    def test_keys_lie_under_the_apps_prefix(self):
        conf = self.settings(prefix="shop", beat_lock_seconds=10)
        assert conf["redbeat_key_prefix"] == "shop:redbeat:"
        assert conf["redbeat_lock_timeout"] == 10
        assert conf["beat_max_loop_interval"] == 1

    def test_a_short_lock_is_looked_after_more_often(self):
        assert self.settings(beat_lock_seconds=1)["beat_max_loop_interval"] < 0.5

    def test_certificates_are_checked_unless_told_otherwise(self, tmp_path):
        checked = self.settings()["redbeat_redis_use_ssl"]
        assert checked == {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
        authority = tmp_path / "ca.pem"
        authority.touch()
        own_ca = self.settings(tls_ca_file=authority)
        assert own_ca["redbeat_redis_use_ssl"]["ssl_ca_certs"] == str(authority)
        unchecked = self.settings(redis_tls_verify=False)["redbeat_redis_use_ssl"]
        assert unchecked == {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}

    def test_a_step_is_scheduled_as_its_celery_task(self):
        made = beat_schedule(
            [ScheduleEntry(step="report", expression="@daily", timezone="Europe/Rome", index=1)]
        )
        assert made == {
            "report#2": {
                "task": "step:report",
                "schedule": CronSchedule("@daily", "Europe/Rome"),
            }
        }

    def test_celery_may_ask_a_schedule_whether_it_is_due(self):
        now = datetime(2025, 1, 1, 12, 0, 30, tzinfo=UTC)
        schedule = CronSchedule("* * * * *", nowfun=lambda: now)
        assert schedule.is_due(now - MINUTE) == (True, 30)
        assert schedule.is_due(now) == (False, 30)
        assert schedule.remaining_estimate(now - MINUTE) == timedelta(seconds=-30)
        over = CronSchedule("0 0 0 1 1 * 2020", nowfun=lambda: now)
        assert over.is_due(now) == (False, None)
