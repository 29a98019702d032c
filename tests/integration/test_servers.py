"""The tests' own servers do what the tests rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import amqp
import psutil
import pytest
import redis
from servers import GivenRabbit, RabbitNode, Room

TESTS = Path(__file__).parents[1]


def connection(url: str) -> amqp.Connection:
    """A connection to the virtual host of one of the tests' own nodes."""
    place, vhost = url.removeprefix("amqp://guest:guest@").split("/")
    return amqp.Connection(host=place, virtual_host=vhost.replace("%2F", "/"))


def listening(port: int) -> set[str]:
    """The addresses on which somebody listens on this port."""
    found = psutil.net_connections("tcp")
    return {c.laddr.ip for c in found if c.status == "LISTEN" and c.laddr.port == port}


@pytest.fixture
def node(rabbitmq: RabbitNode | GivenRabbit) -> RabbitNode:
    """The shared node, where the tests started it themselves."""
    assert isinstance(rabbitmq, RabbitNode)
    return rabbitmq


def test_a_broker_url_is_a_virtual_host_of_its_own(broker_url: str, node: RabbitNode) -> None:
    with connection(broker_url) as one, connection(node.url) as other:
        one.channel().queue_declare("mine", durable=True)
        with pytest.raises(amqp.NotFound):
            other.channel().queue_declare("mine", passive=True)


def test_a_virtual_host_is_gone_when_it_is_dropped(node: RabbitNode) -> None:
    url = node.vhost("a name/with:signs")
    node.drop_vhost(url)
    assert "a name/with:signs" not in [host["name"] for host in node.api("GET", "/vhosts")]


def test_a_virtual_host_takes_quorum_queues(broker_url: str) -> None:
    with connection(broker_url) as broker:
        channel = broker.channel()
        channel.confirm_select()
        channel.queue_declare(
            "safe", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
        )
        channel.basic_publish_confirm(amqp.Message("one"), routing_key="safe")
        assert channel.queue_declare("safe", passive=True).message_count == 1


def test_the_node_listens_on_this_machine_only(node: RabbitNode) -> None:
    assert listening(node.port) == {"127.0.0.1"}


def test_rabbitmqctl_talks_to_the_node(node: RabbitNode, broker_url: str) -> None:
    assert broker_url.rsplit("/", 1)[1] in node.ctl("list_vhosts")


def test_a_private_node_comes_back_after_stop_and_kill_with_its_queues(
    private_rabbitmq: RabbitNode, node: RabbitNode
) -> None:
    """It runs beside the shared node, which notices nothing."""
    url = private_rabbitmq.vhost()
    with connection(url) as broker:
        broker.channel().queue_declare("kept", durable=True, auto_delete=False)
    private_rabbitmq.stop()
    assert not private_rabbitmq.running
    private_rabbitmq.start()
    private_rabbitmq.kill()
    with pytest.raises(OSError):
        connection(url).connect()
    private_rabbitmq.start()
    with connection(url) as broker:
        broker.channel().queue_declare("kept", passive=True)
    assert node.running


def test_a_redis_url_is_an_empty_database(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "over")


def test_the_guard_ends_servers_when_the_test_run_is_killed() -> None:
    """Even ``kill -9`` of pytest leaves no server and no folder behind."""
    script = (
        "import time\n"
        "from servers import Room\n"
        "room = Room.open()\n"
        "with room.redis() as server:\n"
        "    print(room.path, server.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    run = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    folder, pid = run.stdout.readline().rsplit(maxsplit=1)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    deadline = time.monotonic() + 60
    while Path(folder).exists() or is_alive(int(pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_closed_room_is_gone() -> None:
    room = Room.open()
    with room.redis():
        pass
    room.close()
    assert not room.path.exists()


def test_without_rabbitmq_the_given_broker_is_used_as_it_is() -> None:
    given = GivenRabbit("amqps://me:secret@broker.example/mine")
    assert (given.vhost(), given.port) == (given.url, 5671)
    with pytest.raises(pytest.fail.Exception, match="needs a private RabbitMQ"):
        given.ctl("status")


def test_the_shared_node_ends_with_the_test_run(tmp_path: Path) -> None:
    """Two xdist workers share one node, and it is gone when they are."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "from pathlib import Path\n"
        "@pytest.mark.parametrize('n', range(4))\n"
        "def test_it(n, rabbitmq, broker_url):\n"
        "    Path(__file__).with_name(f'{n}.pid').write_text(f'{rabbitmq.pid}')\n"
    )
    (tmp_path / "conftest.py").write_text("from servers_conftest import *\n")
    (tmp_path / "servers_conftest.py").write_text((TESTS / "conftest.py").read_text())
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{TESTS}:{TESTS.parent}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n2", "-p", "no:cacheprovider", str(tmp_path)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    pids = {int(file.read_text()) for file in tmp_path.glob("*.pid")}
    assert len(pids) == 1
    assert not is_alive(pids.pop())
