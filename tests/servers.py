"""The real servers that tests run on: private nodes on free ports, started by the tests alone.

A ``Room`` is one test run's folder with the servers in it. Its guard, a tiny shell process,
kills them and removes the folder when the run ends, even by ``kill -9``. Where no RabbitMQ is
installed, ``AMQP_URL`` names the one to use, and ``REDIS_URL`` does so for Redis.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import amqp
import psutil
import pytest

from motia_celery.errors import ServerMissingError
from motia_celery.stores.embedded import EmbeddedServer, find_server

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60.0
STOP_SECONDS = 20.0
RAFT_REGISTRATION_SECONDS = 1.0
PORTS = range(20000, 32000)  # below what systems give to outgoing connections

RABBITMQ_FOLDERS = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin")
RABBITMQ_MISSING = (
    "These tests need RabbitMQ. Type: "
    + ("brew install rabbitmq" if sys.platform == "darwin" else "apt-get install rabbitmq-server")
    + ", or set AMQP_URL to a broker that the tests may use."
)

# A delayed message that fell due while a killed node started, before it had its bindings back, is
# tried again after so many ms; by default after three minutes.
_ADVANCED = "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 10000}]}].\n"

# $1 is the room. It waits for the end of its input, which comes when the test run is over.
_GUARD = """
read -r _
for file in "$1"/*/groups; do
  [ -f "$file" ] || continue
  while read -r group; do
    [ "$group" -gt 1 ] && kill -s KILL -- "-$group" 2>/dev/null
  done < "$file"
done
for _ in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && break; sleep 0.2; done
"""


class Room:
    """The folder and the servers of one test run, shared by all its processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard: subprocess.Popen[bytes] | None = None

    @classmethod
    def join(cls, path: str) -> Room:
        """The room that another process of the run opened."""
        return cls(Path(path))

    @classmethod
    def open(cls) -> Room:
        """A new room, which is emptied when this process ends."""
        room = cls(Path(tempfile.mkdtemp(prefix="motia-test-")))
        room._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", room.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        return room

    def close(self) -> None:
        """Kill every server in it and remove it."""
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            self._guard.wait()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process of the run at a time is inside."""
        with (self.path / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def folder(self, name: str) -> Path:
        """A new folder in the room, named after ``name``."""
        path = self.path / f"{name}-{secrets.token_hex(3)}"
        path.mkdir()
        return path

    def shared_rabbitmq(self) -> RabbitNode:
        """The one node of the run; the first process that asks starts it."""
        with self.locked():
            node = RabbitNode(self.path / "rabbitmq")
            if not node.running:
                node.start()
        return node

    @contextlib.contextmanager
    def redis(self) -> Iterator[EmbeddedServer]:
        """A Valkey or Redis of this process alone."""
        folder = self.folder("redis")
        with EmbeddedServer(folder / "data") as server:
            (folder / "groups").write_text(f"{server.pid}\n")
            yield server
            (folder / "groups").unlink()


@dataclass(frozen=True)
class Ports:
    """Where the parts of one RabbitMQ node listen, all on 127.0.0.1."""

    amqp: int
    http: int
    distribution: int
    names: int  # its own epmd, so that other nodes on the machine are not met

    @classmethod
    def free(cls) -> Ports:
        """Four ports that nobody listens on now."""
        return cls(*free_ports(4))


class RabbitNode:
    """A private RabbitMQ node whose files are in ``folder``.

    Any process may make one of the same folder and gets the same node.
    """

    def __init__(self, folder: Path) -> None:
        self._bin = rabbitmq_folder()
        self._folder = folder
        facts = folder / "node.json"
        if not facts.exists():
            folder.mkdir(exist_ok=True)
            facts.write_text(json.dumps(vars(Ports.free())))
            self._write_configuration(Ports(**json.loads(facts.read_text())))
        self._ports = Ports(**json.loads(facts.read_text()))
        self._name = f"motia{self._ports.amqp}@localhost"
        self._process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._made: list[str] = []

    @property
    def url(self) -> str:
        """The AMQP URL of its default virtual host."""
        return self._url("/")

    @property
    def port(self) -> int:
        """Its AMQP port."""
        return self._ports.amqp

    @property
    def api_url(self) -> str:
        """Its management API, with user and password."""
        return f"http://guest:guest@127.0.0.1:{self._ports.http}/api"

    @property
    def pid(self) -> int:
        """The process that leads its group; 0 when it is stopped."""
        try:
            return int((self._folder / "groups").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return 0

    @property
    def running(self) -> bool:
        """Whether a process of it lives."""
        return bool(self.pid) and _group_lives(self.pid)

    def start(self) -> None:
        """Start it, again too, and return once it takes AMQP connections."""
        names = self._start_epmd()
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [self._bin / "rabbitmq-server"],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        (self._folder / "groups").write_text(f"{self._process.pid}\n{names}\n")
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop it as an operator would; messages on disk stay for the next start."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """``kill -9``, as when the machine loses power, and no queue was declared just before.

        RabbitMQ writes to disk which quorum queues it has every half second; killed before, it
        comes back with a queue that never finds its leader.
        """
        time.sleep(RAFT_REGISTRATION_SECONDS)
        self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all its processes, SIGSTOP and SIGCONT for example.

        With SIGSTOP, all their threads have stopped when it returns.
        """
        os.killpg(self.pid, number)
        if number == signal.SIGSTOP:
            _wait_for_stop(self.pid)

    def ctl(self, *arguments: str) -> str:
        """What ``rabbitmqctl`` prints; each call takes about half a second."""
        done = subprocess.run(
            [self._bin / "rabbitmqctl", "--quiet", "-n", self._name, *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"rabbitmqctl {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def api(self, method: str, path: str, body: object = None) -> Any:
        """The JSON answer of the management API; ``path`` starts behind ``/api``."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._ports.http}/api{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=",
                "content-type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def vhost(self, name: str | None = None) -> str:
        """The URL of a new virtual host in which guest may do all."""
        name = name or f"t{secrets.token_hex(4)}"
        path = quote(name, safe="")
        self.api("PUT", f"/vhosts/{path}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.api("PUT", f"/permissions/{path}/guest", everything)
        self._made.append(name)
        return self._url(name)

    def drop_vhost(self, url: str) -> None:
        """Delete a virtual host that :meth:`vhost` made."""
        name = unquote(urlsplit(url).path[1:])
        self._made.remove(name)
        with contextlib.suppress(OSError):  # a test may have deleted it itself
            self.api("DELETE", f"/vhosts/{quote(name, safe='')}")

    def drop_vhosts(self) -> None:
        """Delete the virtual hosts that this object made."""
        for name in [*self._made]:
            self.drop_vhost(self._url(name))

    def remove(self) -> None:
        """Kill it with its name server, and delete its files."""
        self.kill()
        for group in map(int, (self._folder / "groups").read_text().split()[1:]):
            if group:
                os.killpg(group, signal.SIGKILL)
        if self._epmd is not None:
            self._epmd.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _url(self, vhost: str) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._ports.amqp}/{quote(vhost, safe='')}"

    def _write_configuration(self, ports: Ports) -> None:
        (self._folder / "home").mkdir()
        (self._folder / "rabbitmq-env.conf").touch()
        (self._folder / "plugins").write_text("[rabbitmq_management].\n")
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{ports.amqp}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {ports.http}\n"
            "collect_statistics_interval = 1000\n"
            "disk_free_limit.absolute = 50MB\n"
            "raft.wal_max_size_bytes = 33554432\n"
        )
        (self._folder / "advanced.config").write_text(_ADVANCED)

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RABBITMQ_", "ERL_"))
        }
        return kept | {
            "HOME": str(folder / "home"),  # Erlang keeps its cookie there
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_DIST_PORT": str(self._ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(folder / "expanded"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_START_ARGS": "+S 2:2 +sbwt none +A 16"
            " -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._ports.names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # The start script becomes the node instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _start_epmd(self) -> int:
        """The group of the node's own name server; without the program Erlang starts its own."""
        program = shutil.which("epmd")
        groups = self._folder / "groups"
        known = groups.read_text().split()[1:] if groups.exists() else []
        if program is None or known:
            return int(known[0]) if known else 0
        command = [program, "-port", str(self._ports.names), "-address", "127.0.0.1"]
        self._epmd = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        return self._epmd.pid

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running:
            if _takes_connections(self._ports.amqp):
                return
            time.sleep(0.1)
        output = (self._folder / "output").read_text(errors="replace")[-3000:]
        raise RuntimeError(f"RabbitMQ did not start:\n{output}")

    def _end(self, number: signal.Signals) -> None:
        group = self.pid
        if not group:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
        _wait_for_group(group, self._process)
        names = (self._folder / "groups").read_text().split()[1:]
        # No group leads any more: 0 keeps the place of the first line.
        (self._folder / "groups").write_text("\n".join(["0", *names]) + "\n")


class GivenRabbit:
    """The broker that ``AMQP_URL`` names. Tests keep to names that start with their prefix."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.port = urlsplit(url).port or (5671 if url.startswith("amqps") else 5672)
        self.pid = 0

    def vhost(self, name: str | None = None) -> str:
        """The given virtual host; AMQP can not make another."""
        return self.url

    def drop_vhosts(self) -> None:
        """Nothing was made."""

    def forget(self, prefix: str) -> None:
        """Delete the exchanges and the dead-letter queue of a test with this name prefix."""
        self.delete_queues([f"{prefix}.dlq"])
        with self._connection() as connection:
            for exchange in ("events", "steps", "dlx"):
                connection.channel().exchange_delete(f"{prefix}.{exchange}")

    def delete_queues(self, queues: list[str]) -> None:
        """Delete these queues, if they are there."""
        with self._connection() as connection:
            for queue in queues:
                connection.channel().queue_delete(queue)

    def _connection(self) -> amqp.Connection:
        parts = urlsplit(self.url)
        return amqp.Connection(
            host=f"{parts.hostname}:{self.port}",
            userid=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            virtual_host=unquote(parts.path[1:]) or "/",
            ssl=parts.scheme == "amqps",
        )

    def __getattr__(self, name: str) -> Any:
        pytest.fail(f"{name!r} needs a private RabbitMQ node. {RABBITMQ_MISSING}", pytrace=False)


def rabbitmq_folder() -> Path:
    """The folder with RabbitMQ's own scripts.

    Debian's scripts on the PATH change the user by ``su``, so those behind them come first.

    Raises:
        ServerMissingError: RabbitMQ is not installed.
    """
    on_path = shutil.which("rabbitmq-server")
    folders = [os.environ.get("RABBITMQ_BIN", ""), *RABBITMQ_FOLDERS]
    folders += [str(Path(on_path).resolve().parent)] if on_path else []
    for folder in filter(None, folders):
        if (Path(folder) / "rabbitmq-server").exists():
            return Path(folder)
    raise ServerMissingError(RABBITMQ_MISSING)


def redis_is_installed() -> bool:
    """Whether a private Valkey or Redis can be started."""
    try:
        find_server()
    except ServerMissingError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            port = random.choice(PORTS)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
        return found


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _takes_connections(port: int) -> bool:
    try:
        with amqp.Connection(host=f"127.0.0.1:{port}", connect_timeout=5):
            return True
    except (OSError, amqp.AMQPError):
        return False


def _group_lives(group: int) -> bool:
    for process in psutil.process_iter(["pid", "status"]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            same = os.getpgid(process.pid) == group
            if same and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
    return False


def _wait_for_group(group: int, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while _group_lives(group):
        if time.monotonic() > deadline:
            os.killpg(group, signal.SIGKILL)
        time.sleep(0.05)
    if process is not None:
        process.wait()


def _wait_for_stop(group: int) -> None:
    """Each thread stops where it next leaves the kernel; only Linux shows them."""
    deadline = time.monotonic() + STOP_SECONDS
    while not all(_stopped_threads(group)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"process group {group} goes on after SIGSTOP")
        time.sleep(0.01)


def _stopped_threads(group: int) -> Iterator[bool]:
    """Whether each thread of a process group is stopped; none where there is no ``/proc``."""
    for stat in Path("/proc").glob("[0-9]*/task/*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state != "Z":
                yield state == "T"
