"""Fixtures for real servers; see ``servers.py``.

Use ``broker_url`` and ``redis_url`` for a place of one's own on servers shared by the whole
run, and ``private_rabbitmq`` or ``private_redis`` where a test stops or kills the server.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import npm_packages as npm
import pytest
import redis
from servers import (
    RABBITMQ_MISSING,
    GivenRabbit,
    RabbitNode,
    Room,
    rabbitmq_folder,
    redis_is_installed,
)

from motia_celery.errors import ServerMissingError
from motia_celery.stores.embedded import EmbeddedServer, find_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A busy machine must not make an example fail.
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")

pytest.register_assert_rewrite("unit.stores.state_contract", "unit.stores.stream_contract")

ROOM = pytest.StashKey[Room]()
GIVEN = pytest.StashKey[dict[str, str]]()
GIVEN_NAMES = ("AMQP_URL", "REDIS_URL")
# A developer's own settings must not reach the tests, still less their servers.
SETTINGS = (*GIVEN_NAMES, "CLOUDAMQP_URL", "RABBITMQ_URL", "REDIS_TLS_URL", "PORT", "LOG_LEVEL")

#: What each suite may take of one process; four run at a time, and installing takes two minutes.
BUDGETS_MINUTES = {
    "unit": 5,
    "compat": 3,
    "integration": 45,
    "acceptance": 10,
    "browser": 8,
    "faults": 10,
    "benchmarks": 4,
}

#: Tests that wait for servers may meet their time limits on a busy machine. What they prove must
#: not hang on it; a wrong result of a unit test, or a loss under faults, is none of that.
SECOND_CHANCE = ("tests/integration/", "tests/acceptance/", "tests/browser/", "tests/benchmarks/")
SECOND_CHANCES = 5

TESTS = Path(__file__).parent
#: They take a minute or more each; in this order two that load the machine are seldom side by side.
LONG_MODULES = (
    "benchmarks/test_short.py",
    "faults/test_process_faults.py",
    "acceptance/test_published.py",
    "integration/test_order.py",
    "faults/test_broker_faults.py",
    "integration/test_partitions.py",
    "browser/test_workbench_looks.py",
    "integration/test_topology.py",
    "faults/test_limits.py",
    "integration/test_dlq.py",
    "integration/test_pools.py",
    "faults/test_control.py",
    "integration/test_isolated_host.py",
    "acceptance/test_plugin.py",
    "integration/test_doctor_live.py",
    "integration/test_servers.py",
    "integration/test_controls.py",
    "browser/test_workbench.py",
)

_database = count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option of the run that follows a failed one."""
    parser.addoption(
        "--second-chance",
        action="store_true",
        help="run only what failed the last time, if it may be run again (see CONTRIBUTING.md)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Open the run's room; xdist's workers share that of their starter."""
    if config.getoption("second_chance"):
        refuse_second_chance(config)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[ROOM] = Room.join(worker["room"])
        config.stash[GIVEN] = worker["given"]
        return
    config.stash[GIVEN] = {name: os.environ[name] for name in GIVEN_NAMES if os.environ.get(name)}
    for name in [*os.environ]:
        if name in SETTINGS or name.startswith("MOTIA_"):
            del os.environ[name]
    # Each of the thousand processes that tests start would compile the whole package again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    config.option.loadscopereorder = False  # xdist would start the modules of few tests last
    config.stash[ROOM] = Room.open()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let long modules begin first, and unit tests last: none is left that runs alone."""
    ranks = {name: rank for rank, name in enumerate(LONG_MODULES)}

    def rank(item: pytest.Item) -> tuple[int, bool]:
        path = item.path.relative_to(TESTS).as_posix()
        return ranks.get(path, len(ranks)), path.startswith("unit/")

    items.sort(key=rank)


def refuse_second_chance(config: pytest.Config) -> None:
    """End the run where something failed that has no second chance, or too much did."""
    assert config.cache is not None
    failed = [*config.cache.get("cache/lastfailed", {})]
    final = [name for name in failed if not name.startswith(SECOND_CHANCE)]
    if final or not 0 < len(failed) <= SECOND_CHANCES:
        pytest.exit(f"no second chance for {len(failed)} failures: {', '.join(final)}", 1)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell an xdist worker where the room is."""
    config = node.config  # type: ignore[attr-defined]
    node.workerinput["room"] = str(config.stash[ROOM].path)  # type: ignore[attr-defined]
    node.workerinput["given"] = config.stash[GIVEN]  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's servers, once all workers have ended."""
    if ROOM in config.stash:
        config.stash[ROOM].close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what each suite took of its share of CI's 30 minutes; a slow machine fails nothing."""
    taken: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            suite = str(getattr(report, "nodeid", "")).split("/")[1:2]
            if suite and hasattr(report, "duration"):
                taken[suite[0]] += report.duration
    for suite, seconds in taken.most_common():
        minutes = BUDGETS_MINUTES.get(suite)
        budget = f" of {minutes} minutes" if minutes else ""
        over = ", OVER ITS BUDGET" if minutes and seconds > minutes * 60 else ""
        terminalreporter.write_line(f"{suite}: {seconds / 60:.1f}{budget} of test time{over}")
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties:
            if name == "tally":  # what a fault cost
                terminalreporter.write_line(str(value))


@pytest.fixture(scope="session")
def room(pytestconfig: pytest.Config) -> Room:
    """The folder with the servers of this test run."""
    return pytestconfig.stash[ROOM]


@pytest.fixture(scope="session")
def rabbitmq(room: Room, pytestconfig: pytest.Config) -> Iterator[RabbitNode | GivenRabbit]:
    """The run's shared RabbitMQ: never stop it, other tests use it at the same time."""
    given = pytestconfig.stash[GIVEN].get("AMQP_URL")
    broker = _shared_rabbitmq(room, given)
    yield broker
    broker.drop_vhosts()


def _shared_rabbitmq(room: Room, given: str | None) -> RabbitNode | GivenRabbit:
    try:
        rabbitmq_folder()
    except ServerMissingError:
        if given:
            return GivenRabbit(given)
        pytest.fail(RABBITMQ_MISSING, pytrace=False)
    return room.shared_rabbitmq()


@pytest.fixture
def private_rabbitmq(room: Room) -> Iterator[RabbitNode]:
    """A RabbitMQ of this test alone, to be stopped and killed; it takes 6 seconds to start."""
    try:
        node = RabbitNode(room.folder("rabbitmq"))
    except ServerMissingError:
        pytest.fail(RABBITMQ_MISSING, pytrace=False)
    node.start()
    yield node
    node.remove()


@pytest.fixture
def name_prefix() -> str:
    """A name for ``Settings.prefix`` that no other test has."""
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def forget_queue(rabbitmq: RabbitNode | GivenRabbit) -> Iterator[Callable[[str], None]]:
    """Call it with each queue made on a broker given by ``AMQP_URL``, to be deleted at the end."""
    queues: list[str] = []
    yield queues.append
    if isinstance(rabbitmq, GivenRabbit):
        rabbitmq.delete_queues(queues)


@pytest.fixture
def broker_url(rabbitmq: RabbitNode | GivenRabbit, name_prefix: str) -> Iterator[str]:
    """The URL of a virtual host of this test alone, deleted afterwards.

    On a broker given by ``AMQP_URL`` it is the given one: use ``name_prefix`` for all names.
    """
    if isinstance(rabbitmq, GivenRabbit):
        yield rabbitmq.url
        rabbitmq.forget(name_prefix)
        return
    url = rabbitmq.vhost()
    yield url
    rabbitmq.drop_vhost(url)


@pytest.fixture(scope="session")
def redis_server(room: Room, pytestconfig: pytest.Config) -> Iterator[EmbeddedServer | str]:
    """This process's Valkey or Redis; the URL in ``REDIS_URL`` where none is installed."""
    given = pytestconfig.stash[GIVEN].get("REDIS_URL")
    if given and not redis_is_installed():
        yield given
        return
    try:
        find_server()
    except ServerMissingError as error:
        pytest.fail(f"{error} Or set REDIS_URL to a server for the tests.", pytrace=False)
    with room.redis() as server:
        yield server


@pytest.fixture
def private_redis(room: Room) -> Iterator[EmbeddedServer]:
    """A Valkey or Redis of this test alone, to be stopped and killed."""
    with room.redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: EmbeddedServer | str, name_prefix: str) -> Iterator[str]:
    """The URL of an empty database, emptied afterwards.

    On a server given by ``REDIS_URL`` only the keys that start with ``name_prefix`` go.
    """
    if isinstance(redis_server, str):
        yield redis_server
        _forget_keys(redis_server, name_prefix)
        return
    url = redis_server.url.removesuffix("/0") + f"/{next(_database) % 16}"
    _empty(url)
    yield url
    _empty(url)


def _empty(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb()


def _forget_keys(url: str, prefix: str) -> None:
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(match=f"{prefix}*", count=1000):
            client.delete(key)


@pytest.fixture(scope="session")
def npm_packages() -> Path:
    """The folder with what ``tests/npm/package.json`` names."""
    try:
        return npm.install()
    except npm.InstallError as error:
        pytest.fail(str(error), pytrace=False)
