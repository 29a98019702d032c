"""Scenarios in which the broker, Redis or the network fails."""

from __future__ import annotations

import signal
import time

from faults.scenario import scenario
from faults.stage import Stage
from faults.tally import Tally


@scenario("broker-killed", "rabbitmq", "redis")
def broker_killed(stage: Stage) -> Tally:
    """The broker is killed with -9 and restarted, under load."""
    app = stage.open()
    (web,), _ = app.run()
    with stage.load(web) as load:
        for _ in range(int(stage.lasting(1, 4))):
            stage.some_time(2, 3)
            stage.kill_broker()
            stage.some_time(1, 3)
            stage.start_broker()
        web.wait()
        stage.some_time(2, 3)
    return stage.tally(load)


@scenario("broker-paused", "rabbitmq", "redis")
def broker_paused(stage: Stage) -> Tally:
    """The broker is stopped (SIGSTOP) for a while and goes on, under load."""
    app = stage.open()
    (web,), _ = app.run()
    with stage.load(web, rate=20) as load:
        stage.some_time(2, 3)
        stage.signal_broker(signal.SIGSTOP)
        try:
            time.sleep(stage.lasting(8, 20))
        finally:
            stage.signal_broker(signal.SIGCONT)
        stage.some_time(2, 3)
    return stage.tally(load)


@scenario("redis-killed")
def redis_killed(stage: Stage) -> Tally:
    """Redis, which holds state, is killed with -9 and restarted, under load."""
    app = stage.open()
    (web,), _ = app.run()
    with stage.load(web) as load:
        for _ in range(int(stage.lasting(1, 4))):
            stage.some_time(2, 3)
            stage.kill_redis()
            time.sleep(stage.lasting(4, 10))
            stage.servers.redis.start()
        stage.some_time(2, 3)
    return stage.tally(load)


@scenario("network-cut")
def network_cut(stage: Stage) -> Tally:
    """The network to RabbitMQ and Redis falls silent, then comes back with every connection reset.

    In the long form RabbitMQ learns of it by its heartbeats alone.
    """
    app = stage.open(proxied=True)
    (web,), _ = app.run()
    with stage.load(web, rate=20) as load:
        for _ in range(int(stage.lasting(1, 3))):
            stage.some_time(2, 3)
            for proxy in stage.proxies:
                proxy.cut()
            time.sleep(stage.lasting(6, 20))
            for proxy in stage.proxies:
                proxy.heal(server_knows=not stage.long)
        stage.some_time(2, 3)
    return stage.tally(load)
