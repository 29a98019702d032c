"""The Procfile under honcho, on RabbitMQ and Redis."""

from __future__ import annotations

import secrets
import signal
from collections import Counter
from typing import Any

import httpx
import psutil
import pytest
from acceptance.conftest import Example, State, free_port, order, settled, wait_for_web
from integration.apps import Process, wait_until

PASSWORD = secrets.token_hex(8)


@pytest.fixture
def example(make_example: Any, broker_url: str, redis_url: str, name_prefix: str) -> Example:
    made: Example = make_example(
        AMQP_URL=broker_url,
        REDIS_URL=redis_url,
        MOTIA_PREFIX=name_prefix,
        MOTIA_ENV="production",
        FLOWER_BASIC_AUTH=f"ops:{PASSWORD}",
        MOTIA_SOFT_SHUTDOWN_SECONDS="5",
    )
    return made


@pytest.fixture
def state(redis_url: str, name_prefix: str) -> Any:
    state = State(redis_url, name_prefix)
    yield state
    state.close()


def honcho(example: Example, port: int, *arguments: str) -> Process:
    return example.start("-m", "honcho", "start", "--port", str(port), *arguments)


def release(example: Example) -> None:
    """The release line of the Procfile, as a platform runs it before the others."""
    process = honcho(example, free_port(), "release")
    assert process.wait(60) == 0, process.output


def test_each_line_of_the_procfile_works_together(example: Example, state: State) -> None:
    """Request in, flow done, Flower lists the Step tasks by name, SIGTERM stops all cleanly."""
    release(example)
    port = _port_block()
    example.environment["WEB_CONCURRENCY"] = "2"
    process = honcho(example, port, "web", "worker", "beat", "flower")
    address, flower = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 300}"
    wait_for_web(address, process)
    process.wait_for_line("worker.ready")
    _wait_for_flower(flower)

    paid = settled(address, order(address, "lamp"))
    assert paid["status"] == "paid"
    assert settled(address, order(address, "sofa"))["status"] == "rejected"

    tasks = wait_until(lambda: _flower_tasks(flower), "Flower's tasks", 60)
    assert tasks["step:reserve-stock", "SUCCESS"] == 2
    assert tasks["step:charge-card", "SUCCESS"] == 1
    assert tasks["step:notify", "SUCCESS"] == 2
    wait_until(lambda: state.group("ticks"), "a cron tick", 60)

    family = psutil.Process(process.pid).children(recursive=True)
    process.send(signal.SIGTERM)
    process.wait(60)
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive
    assert "Traceback" not in process.output


def test_two_of_each_process_share_the_work(example: Example, state: State) -> None:
    """Two web, two worker, two beat processes: every order settles, no slot runs twice."""
    release(example)
    port = _port_block()
    process = honcho(
        example, port, "--concurrency", "web=2,worker=2,beat=2", "web", "worker", "beat"
    )
    addresses = [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"]
    for address in addresses:
        wait_for_web(address, process)
    wait_until(lambda: process.output.count("worker.ready") == 2, "both workers", 60)

    orders = [order(addresses[number % 2], "sofa") for number in range(40)]
    results = [settled(addresses[(number + 1) % 2], id) for number, id in enumerate(orders)]

    assert Counter(result["status"] for result in results) == {"rejected": 40}
    began = len(set(state.group("ticks").values()))
    wait_until(lambda: len(state.group("ticks")) >= began + 4, "four more ticks")
    ticks = list(state.group("ticks").values())
    assert len(ticks) == len(set(ticks)), "a slot ran twice"


def test_flower_refuses_to_start_without_a_password(make_example: Any) -> None:
    example = make_example(REDIS_URL="redis://127.0.0.1:1/0")

    process = example.start("-m", "motia_celery", "flower")

    assert process.wait() == 1
    assert "FLOWER_BASIC_AUTH" in process.output
    assert "Traceback" not in process.output


def _port_block() -> int:
    """A port whose neighbours, which honcho hands to the other lines, are free too."""
    while True:
        port = free_port()
        if port < 60_000 and all(_is_free(port + more) for more in (0, 1, 100, 200, 300)):
            return port


def _is_free(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _wait_for_flower(address: str) -> None:
    def answers() -> bool:
        try:
            return httpx.get(f"{address}/healthcheck", timeout=3).status_code == 200
        except httpx.TransportError:
            return False

    wait_until(answers, "Flower", 60)
    assert httpx.get(f"{address}/api/tasks", timeout=5).status_code == 401


def _flower_tasks(address: str) -> Counter[tuple[str, str]] | None:
    """How many tasks of each name and state Flower lists, once the orders are done."""
    answer = httpx.get(f"{address}/api/tasks", auth=("ops", PASSWORD), timeout=5)
    answer.raise_for_status()
    counted = Counter((task["name"], task["state"]) for task in answer.json().values())
    return counted if counted["step:notify", "SUCCESS"] >= 2 else None
