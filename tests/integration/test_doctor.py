"""``motia-celery doctor`` as it is typed, on real servers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from integration.apps import Process, Project
from servers import GivenRabbit, RabbitNode, Room

from motia_celery.broker.server import BrokerCheck
from motia_celery.errors import BrokerUnavailableError
from motia_celery.settings import load_settings
from motia_celery.stores.embedded import EmbeddedServer


def report(doctor: Process) -> dict[str, Any]:
    """The report that it prints with ``--json``."""
    doctor.wait()
    fields: dict[str, Any] = json.loads(doctor.output)
    return fields


def test_fit_servers_are_told_and_the_exit_code_is_0(project: Project) -> None:
    doctor, as_json = project.command("doctor"), project.command("doctor", "--json")
    assert doctor.wait() == 0, doctor.output
    fields = report(as_json)
    assert as_json.wait() == 0
    amqp = project.settings().uses_rabbitmq
    assert fields["broker"]["product"] == ("RabbitMQ" if amqp else "Redis transport")
    assert fields["broker"]["features"].get("quorum queues", False) is amqp
    assert fields["redis"]["maxmemory_policy"] == "noeviction"
    assert 1 <= fields["redis"]["connected_clients"] <= fields["redis"]["max_clients"]
    assert fields["problems"] == []
    for told in (
        f"Broker: {fields['broker']['product']} {fields['broker']['version']}".strip(),
        f"Store: {fields['redis']['software']} {fields['redis']['version']}",
        "maxmemory-policy noeviction",
        "MOTIA_REDIS_URL",
    ):
        assert told in doctor.words
    for url in (project.settings().redis, project.settings().broker):
        secret = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
        assert f":{secret}@" not in doctor.output + as_json.output


def test_nothing_set_and_no_ruby_are_problems_and_exit_code_1(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUBY_BIN", "/nowhere/ruby")
    (project.folder / "steps" / "a_step.rb").write_text("config = {}\n")
    doctor = project.command("doctor", redis_url="", broker_url="")
    assert doctor.wait() == 1
    assert "apt-get install -y ruby" in doctor.words
    assert "no broker is set" in doctor.words
    assert "no Redis is set" in doctor.words
    assert "Traceback" not in doctor.output


def test_an_unknown_kind_of_broker_is_refused_in_one_line(project: Project) -> None:
    doctor = project.command("doctor", broker_url="kafka://user:sesame@host/")
    assert doctor.wait() == 1
    assert "broker_url (MOTIA_BROKER_URL): is no URL of a broker" in doctor.words
    assert "Traceback" not in doctor.output
    assert "sesame" not in doctor.output


def test_a_policy_that_evicts_is_a_problem(
    make_project: Callable[..., Project], room: Room
) -> None:
    folder = room.folder("redis")
    with EmbeddedServer(folder / "data", options={"maxmemory-policy": "allkeys-lru"}) as server:
        (folder / "groups").write_text(f"{server.pid}\n")
        doctor = make_project(None).command("doctor", "--json", redis_url=server.url)
        (problem,) = report(doctor)["problems"]
        (folder / "groups").unlink()
    assert doctor.wait() == 1
    assert "allkeys-lru" in problem["what"]


def test_servers_that_accept_and_then_say_nothing_are_told_soon(
    make_project: Callable[..., Project],
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=20) as silent:
        port = silent.getsockname()[1]
        doctor = make_project(None).command(
            "doctor",
            broker_url=f"amqp://127.0.0.1:{port}/",
            redis_url=f"redis://127.0.0.1:{port}/0",
        )
        assert doctor.wait() == 1
    assert "the broker does not answer" in doctor.words
    assert "Traceback" not in doctor.output


@pytest.mark.parametrize(
    ("credentials", "told"),
    [("guest:wrong", "Login was refused"), ("stranger:guest", "Login was refused")],
)
def test_a_refused_login_names_the_setting(
    rabbitmq: RabbitNode | GivenRabbit, credentials: str, told: str
) -> None:
    url = rabbitmq.url.replace("guest:guest", credentials)
    if url == rabbitmq.url:
        return  # a given broker has other users
    with pytest.raises(BrokerUnavailableError, match=told) as raised:
        BrokerCheck(load_settings(environ={"AMQP_URL": url})).run()
    assert "broker_url (AMQP_URL)" in raised.value.fix
    assert credentials not in str(raised.value)


def test_an_unknown_virtual_host_names_the_setting(broker_url: str) -> None:
    url = f"{broker_url.rpartition('/')[0]}/nowhere-at-all"
    with pytest.raises(BrokerUnavailableError) as raised:
        BrokerCheck(load_settings(environ={"AMQP_URL": url})).run()
    assert "virtual host in broker_url (AMQP_URL)" in raised.value.fix


def test_health_checks_share_one_look_at_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask, and whether it answers or not."""
    looks: list[object] = []

    def away(settings: object) -> None:
        looks.append(settings)
        raise BrokerUnavailableError("away.")

    monkeypatch.setattr("motia_celery.broker.server.check_broker", away)
    check = BrokerCheck(load_settings(environ={}))
    for _ in range(3):
        with pytest.raises(BrokerUnavailableError):
            check.run()
    assert len(looks) == 1
