"""What dev prints: the first screen, and each process's lines under its name."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from motia_celery.plan.routes import WORKBENCH_PATH
from motia_celery.settings import masked_url

if TYPE_CHECKING:
    from motia_celery.settings import Settings

_COLORS = {"web": "34", "worker": "32", "beat": "33", "release": "35", "dev": "36"}

#: What Celery says of keys and signals that `dev` handles itself.
_CELERYS_OWN_WORDS = ("worker: Hitting Ctrl+C", "worker: Cold shutdown", "worker: Warm shutdown")
#: A first screen shows at most this many routes and schedules.
_MOST_LISTED = 12


class Printer:
    """Writes whole lines, each behind the name of the process that it comes from."""

    def __init__(self, roles: Sequence[str], *, named: bool = True) -> None:
        self._is_named = named
        self._width = max(len(role) for role in (*roles, "release"))
        self._color = bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()
        if os.environ.get("NO_COLOR"):
            self._color = False
        self._lock = threading.Lock()

    def line(self, role: str, text: str) -> None:
        """One line of a process's output."""
        if not text.strip() or text.startswith(_CELERYS_OWN_WORDS):
            return
        name = self.paint(_COLORS.get(role, "0"), role.ljust(self._width)) + " "
        with self._lock:
            sys.stdout.write(f"{name if self._is_named else ''}{text}\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something that dev itself did."""
        self.line("dev", text)

    def error(self, text: str) -> None:
        """Something that went wrong."""
        self.line("dev", self.paint("31", f"✗ {text}"))

    def plain(self, text: str = "") -> None:
        """A line of the first screen."""
        with self._lock:
            print(text, flush=True)

    def problems(self, problems: Iterable[Mapping[str, Any]]) -> None:
        """Each problem with its place and its fix."""
        found = list(problems)
        if not found:
            self.note("No problems")
        for problem in found:
            place = problem["file"] + (f":{problem['line']}" if problem["line"] else "")
            mark, color = ("✗", "31") if problem["severity"] == "error" else ("!", "33")
            self.line(
                "dev", f"{self.paint(color, mark)} {self.paint('1', place)}  {problem['what']}"
            )
            self.line("dev", self.paint("90", f"  → {problem['fix']}"))

    def paint(self, code: str, text: str) -> str:
        """The text in a colour, where the terminal has any."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text


class Banner:
    """The first screen: where the app is, what it holds, what is wrong."""

    def __init__(
        self,
        settings: Settings,
        plan: Mapping[str, Any],
        port: int,
        *,
        embedded: bool,
        name: str = "dev",
    ) -> None:
        self._name = name
        self._settings = settings
        self._plan = plan
        self._port = port
        self._embedded = embedded

    @property
    def address(self) -> str:
        """Where the app answers."""
        host = self._settings.host if self._settings.host != "0.0.0.0" else "localhost"  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def workbench(self) -> str:
        """Where the Workbench is; nowhere in production without a token."""
        if self._name != "dev" and self._settings.admin_token is None:
            return ""
        return f"{self.address}{WORKBENCH_PATH}"

    def show(self, printer: Printer) -> None:
        """Prints it."""
        printer.plain()
        printer.plain(f"  {printer.paint('1', f'motia-celery {self._name}')}  {self._counts()}")
        printer.plain()
        if self.workbench:
            printer.plain(f"  Workbench  {printer.paint('36', self.workbench)}")
        printer.plain(f"  App        {printer.paint('36', self.address)}")
        printer.plain(f"  API        {printer.paint('36', self.address + '/docs')}")
        printer.plain(f"  Broker     {self._broker()}")
        if self._port != self._settings.port and self._settings.port:
            taken = f"Port {self._settings.port} is taken, so the app is on {self._port}."
            printer.plain(f"  {printer.paint('33', taken)}")
        printer.plain()
        for line in self._entries():
            printer.plain(f"  {line}")
        printer.plain()
        if self._plan["problems"]:
            printer.problems(self._plan["problems"])

    def _entries(self) -> list[str]:
        """What starts Steps from outside: routes and schedules."""
        lines = [f"{r['method']:<7} {r['path']:<28} {r['step']}" for r in self._plan["routes"]]
        lines += [f"cron    {e['expression']:<28} {e['step']}" for e in self._plan["schedules"]]
        if len(lines) > _MOST_LISTED:
            more = f"… and {len(lines) - _MOST_LISTED + 1} more: motia-celery plan"
            lines[_MOST_LISTED - 1 :] = [more]
        return lines

    def _counts(self) -> str:
        plan = self._plan
        subscribed = sum(1 for queue in plan["queues"] if queue["topics"])
        return (
            f"{len(plan['steps'])} Steps: {len(plan['routes'])} routes, "
            f"{subscribed} on events, {len(plan['schedules'])} by the clock"
        )

    def _broker(self) -> str:
        if self._settings.uses_rabbitmq:
            return f"RabbitMQ, {masked_url(self._settings.broker)}"
        if self._embedded:
            return "embedded Valkey in .motia/ (for production: RabbitMQ and Redis)"
        return f"Redis, {masked_url(self._settings.broker)}"
