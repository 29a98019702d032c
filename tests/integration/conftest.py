"""Projects of Steps on RabbitMQ and on Redis; see ``apps.py``."""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from integration.apps import Project
from integration.hostile import Web, running_web
from servers import GivenRabbit, RabbitNode, Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


MakeProject = "Callable[..., Project]"


@pytest.fixture
def token() -> str:
    """Marks what one test emits, where workers are shared."""
    return secrets.token_hex(4)


@pytest.fixture
def make_project(
    tmp_path: Path, name_prefix: str, redis_url: str
) -> Iterator[Callable[..., Project]]:
    """Makes a project; its processes are killed in the end, its logs shown if the test fails."""
    made: list[Project] = []

    def make(amqp_url: str | None, prefix: str = name_prefix, **settings: object) -> Project:
        folder = tmp_path / f"project{len(made)}"
        made.append(Project(folder, prefix, redis_url, amqp_url, **settings))
        return made[-1]

    yield make
    for project in made:
        project.close()


@pytest.fixture
def on_rabbitmq(
    make_project: Callable[..., Project],
    broker_url: str,
    forget_queue: Callable[[str], None],
) -> Iterator[Project]:
    """An empty project on RabbitMQ."""
    project = make_project(broker_url)
    yield project
    for plan in project.topology.queues:
        forget_queue(plan.name)


@pytest.fixture(params=["rabbitmq", "redis"])
def project(request: pytest.FixtureRequest) -> Project:
    """An empty project, once on RabbitMQ and once with Redis as the broker."""
    if request.param == "rabbitmq":
        made: Project = request.getfixturevalue("on_rabbitmq")
        return made
    return request.getfixturevalue("make_project")(None)


@pytest.fixture(scope="module")
def hostile_web(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web process for all tests of a module."""
    with running_web(room, tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture
def web(hostile_web: Web) -> Iterator[Web]:
    """The module's web process, which answers after the test too."""
    yield hostile_web
    hostile_web.lives()


@pytest.fixture(scope="session", params=["rabbitmq", "redis"])
def shared(
    request: pytest.FixtureRequest, room: Room, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """One project with one worker, for all tests that leave it as it is."""
    prefix = f"s{secrets.token_hex(4)}"
    rabbitmq: RabbitNode | GivenRabbit | None = None
    amqp_url = None
    if request.param == "rabbitmq":
        rabbitmq = request.getfixturevalue("rabbitmq")
        amqp_url = rabbitmq.vhost()
    with room.redis() as server:
        folder = tmp_path_factory.mktemp("shared")
        project = Project(folder, prefix, server.url, amqp_url, event_limit_bytes=4096, prefetch=20)
        with closing(project):  # a worker that does not get ready is ended too
            write_shared_steps(project)
            project.worker()
            yield project
    if isinstance(rabbitmq, GivenRabbit):
        rabbitmq.delete_queues([plan.name for plan in project.topology.queues])
        rabbitmq.forget(prefix)
    elif rabbitmq is not None and amqp_url:
        rabbitmq.drop_vhost(amqp_url)


def write_shared_steps(project: Project) -> None:
    """The Steps of the shared project."""
    for name in ("fan-one", "fan-two", "fan-three"):
        project.step(name, ["fan.out"], retries=2)
    project.step("one-word", ["order.*"])
    project.step("any-words", ["order.#"])
    project.step("exact", ["created"])
    project.step("other", ["other"], retries=1)
    project.step("sync", ["sync"], retries=1, sync=True)
    project.step("starts", ["starts"], emits=["middle"])
    project.step("middle", ["middle"], retries=0)
    project.step("slow", ["slow"], retries=0)
    project.step("quick", ["quick"], retries=0)
    project.step("named Ä/weird", ["weird"], retries=0)


@pytest.fixture
def app(shared: Project) -> Iterator[Project]:
    """The shared project, its dead letters emptied; what its worker said is shown on failure."""
    sizes = shared.log_sizes()
    shared.take(shared.names.dead_letter_queue)
    yield shared
    shared.print_logs(sizes)
