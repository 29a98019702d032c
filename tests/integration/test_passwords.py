"""The password of a server stays out of all that a process says, whatever goes wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from integration.apps import Process, Project, wait_until
from servers import GivenRabbit, RabbitNode, free_port, listens

#: In a URL it is written with an escape; neither form may be seen.
MARK, WRITTEN = "Sesame/Open", "Sesame%2FOpen"
NEVER = ("Sesame", "%2FOpen", "/Open")

#: Each ends by itself, or goes on trying.
COMMANDS = (("worker",), ("beat",), ("release",), ("doctor",), ("dlq", "list"), ("web",))
#: Without a Step like this, beat has nothing to send.
TICK = """
config = {"type": "cron", "name": "tick", "cron": "* * * * * *", "emits": []}


async def handler(context):
    pass
"""


@pytest.fixture
def stranger(rabbitmq: RabbitNode | GivenRabbit, name_prefix: str) -> Iterator[str]:
    """A user of RabbitMQ with that password, and without a right to anything."""
    if isinstance(rabbitmq, GivenRabbit):  # nobody can be added there
        yield name_prefix
        return
    rabbitmq.ctl("add_user", name_prefix, MARK)
    yield name_prefix
    rabbitmq.ctl("delete_user", name_prefix)


def address(url: str) -> str:
    """Host and port of a URL."""
    return url.partition("://")[2].rpartition("@")[2].partition("/")[0]


def faulty(fault: str, broker_url: str, redis_url: str, user: str) -> dict[str, str]:
    """Settings with the password in them that lead to this fault."""
    broker, store = address(broker_url), address(redis_url)
    vhost = broker_url.rpartition("/")[2]
    return {
        "a wrong password": {"broker_url": f"amqp://guest:{WRITTEN}@{broker}/{vhost}"},
        "no right": {"broker_url": f"amqp://{user}:{WRITTEN}@{broker}/{vhost}"},
        "nobody there": {
            "broker_url": f"amqp://guest:{WRITTEN}@127.0.0.1:1/",
            "redis_url": f"redis://:{WRITTEN}@127.0.0.1:1/0",
        },
        "no TLS": {
            "broker_url": f"amqps://guest:{WRITTEN}@{broker}/{vhost}",
            "redis_url": f"rediss://:{WRITTEN}@{store}/0",
        },
        "a wrong password for Redis": {
            "broker_url": "",
            "redis_url": f"redis://:{WRITTEN}@{store}/0",
        },
        "no URL": {
            "broker_url": f"amqp://guest:{WRITTEN}@[::1/",
            "redis_url": f"redis://:{WRITTEN}@host:port/0",
        },
    }[fault]


FEW = (("worker",), ("doctor",), ("web",))
FAULTS = {
    "a wrong password": COMMANDS,
    "a wrong password for Redis": COMMANDS,
    "no right": FEW,
    "nobody there": FEW,
    "no TLS": FEW,
    "no URL": FEW,
}


@pytest.mark.parametrize(("fault", "commands"), FAULTS.items(), ids=FAULTS)
def test_no_process_tells_the_password(
    fault: str,
    commands: tuple[tuple[str, ...], ...],
    make_project: Callable[..., Project],
    broker_url: str,
    redis_url: str,
    stranger: str,
) -> None:
    project = make_project(None, log_level="debug", emit_route="true", host="127.0.0.1")
    project.step("one", ["one"])
    project.file("tick").write_text(TICK)
    settings = faulty(fault, broker_url, redis_url, stranger)
    port = free_port()
    started = {
        command: project.command(*command, port=port, emit_timeout_seconds=1, **settings)
        for command in commands
    }
    told = asked(started[("web",)], port)
    for command, process in started.items():
        if command != ("web",):
            wait_until(lambda: has_spoken(process), f"{command} says what is wrong", 60)  # noqa: B023
    told += "".join(process.output for process in started.values())
    assert [words for words in NEVER if words in told] == []


def has_spoken(process: Process) -> bool:
    """Whether it has ended, or told of a fault."""
    return not process.running or '"error"' in process.output or '"warn"' in process.output


def asked(web: Process, port: int) -> str:
    """What the web process answers when an event can not be emitted, and whether it is ready."""
    wait_until(lambda: listens(port) or not web.running, "it listens", 60)
    answers = []
    with contextlib.suppress(httpx.TransportError):
        base = f"http://127.0.0.1:{port}"
        for path in ("/health/ready", "/health/live", "/openapi.json"):
            answers.append(httpx.get(base + path, timeout=60).text)
        answers.append(httpx.post(f"{base}/emit", json={"topic": "one"}, timeout=60).text)
    return "".join(answers)
