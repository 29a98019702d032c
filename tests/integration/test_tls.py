"""Servers behind TLS: a certificate is trusted by the authority that was named, or refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import trustme
from celery import Celery
from flower.utils.broker import Broker
from integration.apps import Project, wait_until
from redbeat.schedulers import get_redis
from servers import RABBITMQ_MISSING, RabbitNode, Room, free_port, listens

from motia_celery.broker.beat_settings import redbeat_settings
from motia_celery.broker.celery_app import create_celery
from motia_celery.broker.server import broker_facts
from motia_celery.errors import (
    BrokerUnavailableError,
    FrameworkError,
    ServerMissingError,
    StoreUnavailableError,
)
from motia_celery.plan import compile_plan
from motia_celery.settings import Settings, load_settings
from motia_celery.stores.redis import connect, ping, server_facts

PASSWORD = "s:e/c%r@t"
QUOTED = "s%3Ae%2Fc%25r%40t"
REDIS_MISSING = "These tests need a Redis or Valkey that speaks TLS. Type: " + (
    "brew install valkey" if sys.platform == "darwin" else "apt-get install redis-server"
)

API = """
config = {"type": "api", "name": "api", "method": "POST", "path": "/go", "emits": ["asked"]}


async def handler(req, context):
    await context.emit({"topic": "asked", "data": req["body"]})
    return {"status": 202, "body": {}}
"""
KEEP = """
config = {config!r}


async def handler(data, context):
    await context.state.set("kept", "event", data)
"""
TICK = """
config = {"type": "cron", "name": "tick", "cron": "* * * * * *", "emits": []}


async def handler(context):
    await context.state.set("kept", "tick", True)
"""


@dataclass(frozen=True)
class Certificates:
    """A private authority, and a certificate of it for ``localhost`` alone."""

    authority: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    files = Certificates(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(files.authority)
    issued.cert_chain_pems[0].write_to_path(files.certificate)
    issued.private_key_pem.write_to_path(files.key)
    return files


@pytest.fixture(scope="module")
def amqps_port(room: Room, certificates: Certificates) -> Iterator[int]:
    """The TLS port of a RabbitMQ of this module alone."""
    try:
        node = RabbitNode(room.folder("rabbitmq"))
    except ServerMissingError:
        pytest.fail(RABBITMQ_MISSING, pytrace=False)
    port = free_port()
    with (Path(node._folder) / "rabbitmq.conf").open("a") as file:
        file.write(
            f"listeners.ssl.1 = 127.0.0.1:{port}\n"
            f"ssl_options.cacertfile = {certificates.authority}\n"
            f"ssl_options.certfile = {certificates.certificate}\n"
            f"ssl_options.keyfile = {certificates.key}\n"
        )
    node.start()
    node.ctl("change_password", "guest", PASSWORD)
    yield port
    node.remove()


@pytest.fixture(scope="module")
def rediss_port(room: Room, certificates: Certificates) -> Iterator[int]:
    """The TLS port of a Redis of this module alone. The bundled Valkey has no TLS."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.fail(REDIS_MISSING, pytrace=False)
    folder, port = room.folder("redis"), free_port()
    process = start_redis(program, folder, port, certificates)
    try:
        wait_until(lambda: process.poll() is not None or listens(port), "Redis listens")
        if process.poll() is not None:
            pytest.fail(f"{REDIS_MISSING}\n{(folder / 'log').read_text()}", pytrace=False)
        yield port
    finally:
        process.kill()
        process.wait()
        (folder / "groups").unlink()


def start_redis(
    program: str, folder: Path, port: int, files: Certificates
) -> subprocess.Popen[bytes]:
    options = {
        "bind": "127.0.0.1",
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": str(files.certificate),
        "tls-key-file": str(files.key),
        "tls-ca-cert-file": str(files.authority),
        "tls-auth-clients": "no",
        "requirepass": PASSWORD,
        "save": "",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, *words],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder / "groups").write_text(f"{process.pid}\n")
    return process


MakeSettings = Callable[..., Settings]


@pytest.fixture(params=["amqps", "rediss"])
def broker_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_settings(
    broker_kind: str,
    request: pytest.FixtureRequest,
    rediss_port: int,
    name_prefix: str,
) -> MakeSettings:
    """Settings for both servers under a host's name; for ``rediss``, Redis is the broker too."""

    def make(host: str = "localhost", **settings: Any) -> Settings:
        urls = {"redis_url": f"rediss://:{QUOTED}@{host}:{rediss_port}/0"}
        if broker_kind == "amqps":
            port = request.getfixturevalue("amqps_port")
            urls["broker_url"] = f"amqps://guest:{QUOTED}@{host}:{port}/%2F"
        return load_settings(environ={}, prefix=name_prefix, **urls, **settings)

    return make


async def reach(settings: Settings) -> dict[str, FrameworkError | str]:
    """Connects in each way that the processes do; gives the error, or ``"ok"``, of each."""
    client = connect(settings)
    found: dict[str, FrameworkError | str] = {}
    try:
        await ping(client)
        found["store"] = "ok"
    except StoreUnavailableError as error:
        found["store"] = error
    finally:
        await client.aclose()
    for name, ask in (("broker", broker_facts), ("facts", server_facts)):
        try:
            ask(settings)
            found[name] = "ok"
        except FrameworkError as error:
            found[name] = error
    return found


def beat_reaches(settings: Settings) -> bool:
    """Whether beat's own client can talk to Redis."""
    app = Celery("beat", set_as_current=False)
    app.conf.update(redbeat_settings(settings))
    client = get_redis(app)
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False
    finally:
        client.close()


async def test_a_certificate_of_the_named_authority_is_trusted(
    make_settings: MakeSettings, certificates: Certificates
) -> None:
    settings = make_settings(tls_ca_file=certificates.authority)
    assert await reach(settings) == {"store": "ok", "broker": "ok", "facts": "ok"}
    assert beat_reaches(settings)


@pytest.mark.parametrize("fault", ["no authority", "another host"])
async def test_any_other_certificate_is_refused_with_the_settings_that_would_help(
    make_settings: MakeSettings, certificates: Certificates, broker_kind: str, fault: str
) -> None:
    settings = (
        make_settings()
        if fault == "no authority"
        else make_settings("127.0.0.1", tls_ca_file=certificates.authority)
    )
    found = await reach(settings)
    assert isinstance(found["broker"], BrokerUnavailableError)
    assert isinstance(found["store"], StoreUnavailableError)
    assert isinstance(found["facts"], StoreUnavailableError)
    for error in found.values():
        assert isinstance(error, FrameworkError)
        assert "CERTIFICATE_VERIFY_FAILED" in error.what
        assert "tls_ca_file" in error.fix
        assert "s:e" not in str(error) and QUOTED not in str(error)
    verify = "broker_tls_verify" if broker_kind == "amqps" else "redis_tls_verify"
    assert verify in str(found["broker"])
    assert "redis_tls_verify" in str(found["store"])
    assert not beat_reaches(settings)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_any_certificate_is_accepted_where_the_check_is_off(
    make_settings: MakeSettings, host: str
) -> None:
    settings = make_settings(host, broker_tls_verify=False, redis_tls_verify=False)
    assert await reach(settings) == {"store": "ok", "broker": "ok", "facts": "ok"}
    assert beat_reaches(settings)


async def test_the_check_is_switched_off_for_one_server_alone(
    make_settings: MakeSettings, broker_kind: str
) -> None:
    found = await reach(make_settings(redis_tls_verify=False))
    assert (found["store"], found["facts"]) == ("ok", "ok")
    assert (found["broker"] == "ok") is (broker_kind == "rediss")


@pytest.mark.parametrize("broker_kind", ["rediss"], indirect=True)
async def test_flowers_broker_page_asks_redis_over_tls(
    make_settings: MakeSettings, certificates: Certificates
) -> None:
    """Flower makes a Redis client of its own from Celery's configuration."""
    settings = make_settings(tls_ca_file=certificates.authority)
    plan = compile_plan(prefix=settings.prefix, timezone="UTC", steps=(), streams=(), problems=())
    conf = create_celery(
        settings, plan, invoke=None, publisher=None, gate=None, once=None, order=None, recorder=None
    ).conf  # type: ignore[arg-type]
    broker = Broker(
        conf.broker_url,
        broker_options=conf.broker_transport_options,
        broker_use_ssl=conf.broker_use_ssl,
    )
    assert await broker.queues(["none"]) == [{"name": "none", "messages": 0}]


def test_a_flow_runs_over_tls(
    make_settings: MakeSettings,
    certificates: Certificates,
    make_project: Callable[..., Project],
) -> None:
    """Release, web, worker, beat and remote control: the flow is done, and the clock ticks."""
    project = tls_project(make_project, make_settings())
    trust = {"redis_url": make_settings().redis, "tls_ca_file": certificates.authority}
    released = project.release(**trust)
    assert released.wait() == 0, released.output
    port = free_port()
    web = project.command("web", port=port, **trust)
    project.command("beat", **trust)
    project.worker(**trust)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        wait_until(lambda: is_ready(client), "web is ready")
        assert client.post("/go", json={"n": 1}).status_code == 202, web.output
    store = redis.Redis.from_url(
        make_settings().redis, ssl_ca_certs=str(certificates.authority), decode_responses=True
    )
    with store:
        key = f"{project.prefix}:state:kept"
        wait_until(lambda: {"event", "tick"} <= set(store.hkeys(key)), "both Steps ran")
    pinged = project.start("-m", "celery", "-A", "motia_celery.app", "inspect", "ping", **trust)
    assert pinged.wait() == 0, pinged.output


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def tls_project(make_project: Callable[..., Project], settings: Settings) -> Project:
    amqp = settings.broker if settings.uses_rabbitmq else None
    project = make_project(amqp)
    project.step("keep", ["asked"], source=KEEP)
    (project.folder / "steps" / "api_step.py").write_text(API)
    (project.folder / "steps" / "tick_step.py").write_text(TICK)
    return project


def test_commands_end_with_the_fix_and_no_traceback(
    make_settings: MakeSettings, make_project: Callable[..., Project]
) -> None:
    project = tls_project(make_project, make_settings())
    redis_url = make_settings().redis
    commands = [project.command(name, redis_url=redis_url) for name in ("release", "doctor")]
    for command in commands:
        assert command.wait() == 1
        assert "tls_ca_file" in command.output
        assert "Traceback" not in command.output
        assert "c%25r" not in command.output and PASSWORD not in command.output


def test_an_authority_that_is_no_file_is_named(
    make_settings: MakeSettings, make_project: Callable[..., Project]
) -> None:
    project = tls_project(make_project, make_settings())
    doctor = project.command("doctor", redis_url=make_settings().redis, tls_ca_file="nowhere.pem")
    assert doctor.wait() == 1
    assert "tls_ca_file (MOTIA_TLS_CA_FILE)" in doctor.words
    assert "nowhere.pem" in doctor.words
    assert "Traceback" not in doctor.output
