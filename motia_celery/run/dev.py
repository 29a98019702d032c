"""dev and start: the whole app on one machine, with one log, a clean stop, and dev's reload."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchfiles import watch

from motia_celery.errors import FrameworkError, SettingsError
from motia_celery.run.banner import Banner, Printer
from motia_celery.run.children import Child, Reading, preload, read_files
from motia_celery.run.diagrams import DRAWN
from motia_celery.run.environment import read_environment, remap_sigterm
from motia_celery.run.reload import (
    ROLES,
    SourceFilter,
    is_only_python,
    lost,
    needed,
    touched,
)
from motia_celery.settings import Settings
from motia_celery.stores.embedded import EmbeddedServer, data_directory

if TYPE_CHECKING:
    from motia_celery.run.app import Told

#: How many further ports are tried when the wanted one is taken, as in Motia.
_MORE_PORTS = 10
#: Running Steps get this long when dev stops or reloads; production has a setting of its own.
_SOFT_SHUTDOWN_SECONDS = 3
_KILL_AFTER_SECONDS = 8
_RESTART_PAUSE_SECONDS = 1.0
#: A save is over once no file has changed for so long.
_SETTLED_MS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the app is run: by ``dev``, or by ``start``, which neither reloads nor opens anything.

    ``show`` opens the Workbench in a browser once it answers, ``debug`` shows every log line,
    ``mermaid`` draws the flows into files.
    """

    is_dev: bool = True
    show: bool = False
    debug: bool = False
    mermaid: bool = False

    @property
    def name(self) -> str:
        """The command."""
        return "dev" if self.is_dev else "start"


def dev(*, port: int | None = None, host: str | None = None, way: Way | None = None) -> None:
    """Runs web, worker and beat until Ctrl-C; starts a Valkey where no server is set.

    Raises:
        SettingsError: no port is free, or a setting can not be used.
        ServerMissingError: no server is set, and there is none to start.
    """
    remap_sigterm()
    # Taken before `.env` is read into it: each child reads the file as it is then.
    ambient = dict(os.environ)
    way = way or Way()
    preload()
    settings = _dev_settings(port, host) if way.is_dev else _start_settings(port, host)
    with ExitStack() as stack:
        embedded = _embedded(settings, stack)
        listener = stack.enter_context(_listen(settings.host, settings.port))
        environment = {**ambient, **_additions(settings, embedded, listener, way)}
        Dev(settings, environment, listener, embedded is not None, way).run()


def _dev_settings(port: int | None, host: str | None) -> Settings:
    settings = read_environment(port=port, host=host)
    if settings.origin("host") in ("default", "config/default.toml"):
        settings = read_environment(port=port, host="127.0.0.1")
    return settings


def _start_settings(port: int | None, host: str | None) -> Settings:
    chosen = read_environment(port=port, host=host)
    named = os.environ.get("MOTIA_ENVIRONMENT") or os.environ.get("MOTIA_ENV")
    return chosen if named else read_environment(port=port, host=host, environment="production")


def _embedded(settings: Settings, stack: ExitStack) -> EmbeddedServer | None:
    if settings.redis_url is not None:
        return None
    return stack.enter_context(EmbeddedServer(data_directory(settings.project_root)))


def _additions(
    settings: Settings, embedded: EmbeddedServer | None, listener: socket.socket, way: Way
) -> dict[str, str]:
    """What the children's environment has beside dev's own."""
    chosen = {
        "MOTIA_ROOT": str(settings.project_root),
        "MOTIA_HOST": settings.host,
        "MOTIA_PORT": str(listener.getsockname()[1]),
        "MOTIA_WEB_CONCURRENCY": "1",
        "MOTIA_QUIET_PROBLEMS": "1",
    }
    if way.is_dev:
        chosen["MOTIA_SOFT_SHUTDOWN_SECONDS"] = str(_SOFT_SHUTDOWN_SECONDS)
    else:
        chosen["MOTIA_ENVIRONMENT"] = settings.environment
    if way.debug:
        chosen["MOTIA_LOG_LEVEL"] = "debug"
    if way.mermaid:
        chosen[DRAWN] = "1"
    if settings.origin("log_format") in ("default", "config/default.toml") and way.is_dev:
        chosen["MOTIA_LOG_FORMAT"] = "console"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        chosen["FORCE_COLOR"] = "1"
    if embedded is not None:
        chosen["MOTIA_REDIS_URL"] = embedded.url
    return chosen | _named_servers(settings)


def _named_servers(settings: Settings) -> dict[str, str]:
    """The servers that motia.config.ts names, so that no child need read it for them."""
    urls = {"redis_url": settings.redis_url, "broker_url": settings.broker_url}
    return {
        f"MOTIA_{name.upper()}": url.get_secret_value()
        for name, url in urls.items()
        if url is not None and settings.origin(name).startswith("motia.config.")
    }


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on the port, or on the next free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + _MORE_PORTS + 1) if port else [0]:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise SettingsError(f"{error.strerror}.", f"{host}:{candidate}", "") from error
        else:
            listener.listen(2048)
            return listener
    raise SettingsError(
        f"the ports {port} to {port + _MORE_PORTS} are all taken.", host, "Choose one with --port."
    )


class Dev:
    """The running app: its children, its files, its one log."""

    def __init__(
        self,
        settings: Settings,
        environment: dict[str, str],
        listener: socket.socket,
        embedded: bool,
        way: Way,
    ) -> None:
        self._settings = settings
        self._root = settings.project_root
        self._environment = environment
        self._listener = listener
        self._embedded = embedded
        self._way = way
        shutdown = 0 if way.is_dev else settings.soft_shutdown_seconds
        self._kill_after = _KILL_AFTER_SECONDS + shutdown
        self._children: dict[str, Child] = {}
        #: Asked to end, and kept: a child ends for good when its starter lets go of it.
        self._leaving: list[tuple[Child, float]] = []
        # What a machine reads of production's log is whole lines of JSON.
        self._printer = Printer(ROLES, named=way.is_dev or sys.stdout.isatty())
        self._stop = threading.Event()
        self._lock = threading.RLock()
        #: Files that changed, and are not live yet.
        self._changed: set[str] = set()
        self._problems: list[Any] = []
        self._reading = Reading({}, {})

    @property
    def _plan(self) -> dict[str, Any]:
        return self._reading.plan

    def run(self) -> None:
        """Runs until a signal comes."""
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        signal.signal(signal.SIGINT, lambda *_: self._stop.set())
        self._reading = read_files(self._environment, {})
        self._problems = self._plan["problems"]
        port = self._listener.getsockname()[1]
        banner = Banner(
            self._settings, self._plan, port, embedded=self._embedded, name=self._way.name
        )
        banner.show(self._printer)
        self._release()
        for role in needed(self._plan):
            self._start(role)
        supervisor = threading.Thread(target=self._supervise, daemon=True)
        supervisor.start()
        if self._way.show and banner.workbench:
            # The socket listens already: the browser waits for the web process.
            threading.Thread(target=webbrowser.open, args=(banner.workbench,), daemon=True).start()
        try:
            if self._way.is_dev:
                self._watch()
            else:
                self._stop.wait()
        finally:
            self._end()

    def _watch(self) -> None:
        changes = watch(
            self._root,
            watch_filter=SourceFilter(self._root),
            stop_event=self._stop,
            step=_SETTLED_MS,
            rust_timeout=500,
            raise_interrupt=False,
        )
        for batch in changes:
            files = sorted({str(Path(path).relative_to(self._root)) for _, path in batch})
            self._reload(files)

    def _reload(self, files: list[str]) -> None:
        self._changed.update(files)
        try:
            reading = read_files(self._environment, self._as_before())
        except FrameworkError as error:
            self._printer.error(str(error))
            self._printer.note("The app runs on as it was")
            return
        if broken := lost(self._plan, reading.plan, self._root):
            self._printer.note(f"{_shown(files)} changed; the app runs on as it was")
            self._tell(reading.plan["problems"])
            self._printer.note(f"Mend {_shown(broken)}, and what changed is live")
        else:
            self._apply(reading)

    def _as_before(self) -> Told:
        """What need not be read again."""
        return self._reading.told if is_only_python(self._changed) else {}

    def _apply(self, reading: Reading) -> None:
        """Makes what was read the running app."""
        files, self._changed = sorted(self._changed), set()
        before, self._reading = self._plan, reading
        plan = self._plan
        roles = touched(files, before, plan)
        named = ", ".join(sorted(roles)) or "nothing"
        self._printer.note(f"{_shown(files)} changed; restarting {named}")
        self._tell(plan["problems"])
        if before["queues"] != plan["queues"]:
            self._release()
        with self._lock:
            self._restart(roles)

    def _tell(self, problems: list[Any]) -> None:
        if problems != self._problems:
            self._problems = problems
            self._printer.problems(problems)

    def _restart(self, roles: frozenset[str]) -> None:
        wanted = needed(self._plan)
        for role in ROLES:
            child = self._children.get(role)
            if child and (role in roles or role not in wanted):
                self._dismiss(self._children.pop(role))
            if role in wanted and role not in self._children and not self._stop.is_set():
                self._start(role)

    def _release(self) -> None:
        """Declares the queues before anything is emitted, and unbinds dropped topics."""
        child = Child("release", self._environment, told=self._reading.told)
        self._follow(child)

    def _start(self, role: str) -> None:
        listener = self._listener if role == "web" else None
        told, is_dev = self._reading.told, self._way.is_dev
        child = Child(role, self._environment, listener, told=told, is_dev=is_dev)
        self._children[role] = child
        self._follow(child)

    def _follow(self, child: Child) -> None:
        threading.Thread(target=self._copy_output, args=(child,), daemon=True).start()

    def _copy_output(self, child: Child) -> None:
        descriptor, rest = child.output.fileno(), b""
        while chunk := os.read(descriptor, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._printer.line(child.role, line.decode(errors="replace"))
        if rest:
            self._printer.line(child.role, rest.decode(errors="replace"))

    def _dismiss(self, child: Child) -> None:
        """Lets a child finish its runs beside its successor."""
        child.stop()
        self._leaving.append((child, time.monotonic() + self._kill_after))

    def _supervise(self) -> None:
        """Starts again what ended by itself, and ends what does not end."""
        while not self._stop.wait(0.2):
            with self._lock:
                for child, deadline in list(self._leaving):
                    if child.exit_code is not None:
                        self._leaving.remove((child, deadline))
                    elif time.monotonic() > deadline:
                        child.kill()
                for role, child in list(self._children.items()):
                    if child.exit_code is None or child.stopping:
                        continue
                    if time.monotonic() - child.started < _RESTART_PAUSE_SECONDS:
                        continue
                    self._printer.error(f"{role} ended ({child.exit_code}); starting it again")
                    self._start(role)

    def _end(self) -> None:
        self._stop.set()
        signal.signal(signal.SIGINT, lambda *_: self._kill())
        self._printer.note("Stopping; running Steps are finished first")
        with self._lock:
            for child in self._children.values():
                self._dismiss(child)
            leaving = list(self._leaving)
        for child, deadline in leaving:
            if not child.wait(deadline - time.monotonic()):
                child.kill()
                child.wait(1)
        self._printer.note("Stopped")

    def _kill(self) -> None:
        for child, _ in self._leaving:
            child.kill()


def _shown(files: list[str]) -> str:
    return ", ".join(files[:3]) + ("…" if len(files) > 3 else "")
