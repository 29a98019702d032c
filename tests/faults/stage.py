"""Where one scenario plays: servers of its own, the app, the load, and the final count."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
import urllib.error
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import redis
from faults.chain import STEPS, Chain, Web
from faults.load import Load
from faults.proxy import Proxy
from faults.tally import Key, Tally, count
from servers import RabbitNode

from motia_celery.broker.publisher import Publisher
from motia_celery.stores.embedded import EmbeddedServer

Transport = Literal["rabbitmq", "redis"]

#: How long a scenario may take to come to rest after its last fault.
REST_SECONDS = 240.0
#: When Redis gives back what a dead worker held; in the product a quarter of an hour at least.
VISIBILITY_SECONDS = 15
#: With nothing in any queue, and no run ending, for so long, it has come to rest.
QUIET_SECONDS = 2.5
#: The same while something is missing: it may still come from where nobody can look.
SURE_SECONDS = 8.0


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers of one scenario; ``rabbitmq`` None makes Redis the broker too."""

    rabbitmq: RabbitNode | None
    redis: EmbeddedServer

    @property
    def transport(self) -> Transport:
        return "rabbitmq" if self.rabbitmq else "redis"


class Stage:
    """One scenario's stage; closing it ends everything on it but the servers."""

    def __init__(self, folder: Path, servers: Servers, *, long: bool) -> None:
        self.folder = folder
        self.servers = servers
        self.long = long
        self.vhost = f"faults-{os.urandom(3).hex()}"
        self._amqp_url = servers.rabbitmq.vhost(self.vhost) if servers.rabbitmq else None
        self._chain: Chain | None = None
        self._publisher: Publisher | None = None
        self._proxies: list[Proxy] = []
        self.random = random.Random(self.vhost)

    @property
    def rabbitmq(self) -> RabbitNode:
        """The broker of a scenario that is for RabbitMQ alone."""
        assert self.servers.rabbitmq is not None
        return self.servers.rabbitmq

    @property
    def app(self) -> Chain:
        """The app; :meth:`open` makes it."""
        assert self._chain is not None
        return self._chain

    def open(self, *, proxied: bool = False, **settings: Any) -> Chain:
        """Writes the app and runs its release; ``proxied`` leads it through :attr:`proxies`."""
        urls = [self._amqp_url, self.servers.redis.url]
        if proxied:
            urls = [url and self._through_proxy(url) for url in urls]
        amqp_url, redis_url = urls
        options: dict[str, Any] = {
            "concurrency": 40,
            "soft_shutdown_seconds": self.lasting(4, 20),
            "emit_timeout_seconds": 10,
        }
        if self.servers.rabbitmq is None:
            options["visibility_seconds"] = VISIBILITY_SECONDS
        chain = Chain(self.folder / "app", str(redis_url), amqp_url, **{**options, **settings})
        self._chain = chain
        chain.release()
        return chain

    def _through_proxy(self, url: str) -> str:
        port = urlsplit(url).port
        assert port is not None
        proxy = Proxy(port)
        self._proxies.append(proxy)
        return re.sub(rf":{port}(/|$)", rf":{proxy.port}\1", url)

    @property
    def proxies(self) -> Sequence[Proxy]:
        """What leads to RabbitMQ and to Redis, in this order."""
        return self._proxies

    @property
    def publisher(self) -> Publisher:
        """The publisher of this process."""
        if self._publisher is None:
            self._publisher = Publisher(self.app.settings(), self.app.topology)
        return self._publisher

    def load(self, *webs: Web, **options: Any) -> Load:
        """Events for the app; those by request go to ``webs``."""
        return Load(self.publisher, lambda: [web.address for web in webs], **options)

    def lasting(self, short: float, long: float) -> float:
        """How long something takes in this form of the suite."""
        return long if self.long else short

    def until(self, short: float, long: float) -> float:
        """The end of a period from now, on the monotonic clock."""
        return time.monotonic() + self.lasting(short, long)

    def some_time(self, least: float, most: float) -> None:
        """A random pause between two blows."""
        time.sleep(self.random.uniform(least, most))

    # The broker, whichever it is

    def kill_broker(self) -> None:
        """``kill -9`` of the server that holds the queues."""
        if self.servers.rabbitmq:
            self.servers.rabbitmq.kill()
        else:
            self.kill_redis()

    def start_broker(self) -> None:
        """Starts it again on its data."""
        (self.servers.rabbitmq or self.servers.redis).start()

    def kill_redis(self) -> None:
        """``kill -9`` of Redis."""
        kill(self.servers.redis)

    def signal_broker(self, number: signal.Signals) -> None:
        """SIGSTOP or SIGCONT to all of it."""
        if self.servers.rabbitmq:
            self.servers.rabbitmq.send(number)
        else:
            os.kill(self.servers.redis.pid, number)

    # The count

    def tally(self, load: Load, *, owed: set[str] | None = None) -> Tally:
        """Waits until the app has come to rest, and counts."""
        self.rest(load.sent if owed is None else owed)
        return count(
            load.sent if owed is None else owed,
            self.app.lines(),
            self.dead_letters(),
            refused=len(load.refused),
        )

    def rest(self, sent: set[str]) -> None:
        """Returns once no message is anywhere but among the dead letters, or time is up."""
        deadline = time.monotonic() + REST_SECONDS
        quiet_since, seen = time.monotonic(), -1
        owed = {(step, token) for token in sent for step in STEPS}
        while time.monotonic() < deadline:
            time.sleep(0.3)
            now = self.app.count()
            if now != seen or self.waiting():
                quiet_since, seen = time.monotonic(), now
                continue
            quiet = time.monotonic() - quiet_since
            if quiet > SURE_SECONDS or (quiet > QUIET_SECONDS and not self._missing(owed)):
                return

    def _missing(self, owed: set[Key]) -> bool:
        return bool(owed - {(line.step, line.token) for line in self.app.lines()})

    def waiting(self) -> int:
        """How many messages are in queues or unacknowledged; 1 where that can not be told."""
        try:
            return self._waiting_there()
        except (OSError, redis.RedisError, urllib.error.URLError):
            return 1

    def queue(self, step: str) -> dict[str, Any]:
        """What RabbitMQ tells about a Step's queue."""
        name = quote(self.app.names.queue(step), safe="")
        found: dict[str, Any] = self.rabbitmq.api("GET", f"/queues/{self.vhost}/{name}")
        return found

    def _waiting_there(self) -> int:
        dead = self.app.names.dead_letter_queue
        if self.servers.rabbitmq is None:
            with redis.Redis.from_url(self.servers.redis.url) as client:
                return _waiting_in_redis(client, self.app.names.prefix, dead)
        queues = self.rabbitmq.api("GET", f"/queues/{self.vhost}")
        return sum(queue.get("messages", 1) for queue in queues if queue["name"] != dead)

    def dead_letters(self) -> set[Key]:
        """The Step and the token of each dead letter."""
        found = set()
        with self.app.connection() as connection:
            channel = connection.default_channel
            while (raw := channel.basic_get(self.app.names.dead_letter_queue)) is not None:
                message = channel.message_to_python(raw) if self.servers.rabbitmq is None else raw
                found.add(self._dead_key(message))
        return found

    def _dead_key(self, message: Any) -> Key:
        headers = message.headers or {}
        death = (headers.get("x-death") or [{}])[0]
        queue = str(headers.get("motia-queue") or death.get("queue") or "")
        body = message.body
        data = json.loads(body if isinstance(body, str) else bytes(body))
        return queue.rpartition(".")[2], str(data.get("token")) if isinstance(data, dict) else ""

    def close(self) -> None:
        """Ends the app's processes and drops its queues."""
        if self._publisher is not None:
            self._publisher.close()
        if self._chain is not None:
            self._chain.close()
        for proxy in self._proxies:
            proxy.close()
        if self.servers.rabbitmq and self._amqp_url and self.servers.rabbitmq.running:
            self.servers.rabbitmq.drop_vhost(self._amqp_url)


def kill(server: EmbeddedServer) -> None:
    """``kill -9`` of a Redis; ``start`` brings it back."""
    os.kill(server.pid, signal.SIGKILL)
    while server.running:
        time.sleep(0.02)


def _waiting_in_redis(client: redis.Redis, prefix: str, dead: str) -> int:
    keys = [key.decode() for key in client.scan_iter(match=f"{prefix}:broker:*", count=1000)]
    lists = [key for key in keys if client.type(key) == b"list" and dead not in key]
    queued = sum(int(client.llen(key)) for key in lists)  # type: ignore[arg-type]
    unacked = int(client.hlen(f"{prefix}:broker:unacked"))  # type: ignore[arg-type]
    return queued + unacked + int(client.zcard(f"{prefix}:delayed"))  # type: ignore[arg-type]
