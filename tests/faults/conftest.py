"""The scenarios in their short form; ``bin/faults`` plays them alone, and at length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.scenario import Scenario
from faults.stage import Servers, Transport
from faults.tally import Tally
from servers import RABBITMQ_MISSING, RabbitNode, Room

from motia_celery.errors import ServerMissingError

Play = Callable[[Scenario, Transport], Tally]


@pytest.fixture(scope="session")
def own_rabbitmq(room: Room) -> Iterator[RabbitNode]:
    """A node of this process alone, which scenarios kill and restart one after the other."""
    try:
        node = RabbitNode(room.folder("rabbitmq"))
    except ServerMissingError:
        pytest.fail(RABBITMQ_MISSING, pytrace=False)
    yield node
    node.remove()


@pytest.fixture
def play(
    room: Room,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> Play:
    """Plays a scenario, and fails if it lost what it must not lose."""

    def play_it(scenario: Scenario, transport: Transport) -> Tally:
        node = request.getfixturevalue("own_rabbitmq") if transport == "rabbitmq" else None
        if node is not None and not node.running:
            node.start()
        folder = room.folder("stage")
        try:
            with room.redis() as redis:
                tally = scenario.run(folder, Servers(rabbitmq=node, redis=redis))
        finally:
            _print_logs(folder / "app")
        record_property("tally", f"{scenario.name} on {transport}: {tally}")
        assert scenario.verdict(tally, transport) == ""
        return tally

    return play_it


def _print_logs(app: Path) -> None:
    """Shown by pytest if the test fails."""
    for log in sorted(app.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        told = [line for line in lines if "the first attempt fails" not in line]
        print(f"--- {log.name}", *told[-40:], sep="\n")
