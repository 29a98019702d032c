"""Whether ``dev`` grows: a Step and a helper are edited again and again in one long-lived process.

``python -m tests.benchmarks.reloads --reloads 1000`` prints memory, open files, threads and
processes of ``dev`` and of the process that its children are forked from, at the start and at
the end. Each reload is seen in the app's own answers before the next one.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

#: The first reloads fill caches; growth is what comes after them.
WARM_UP = 10
PATIENCE_SECONDS = 60.0

HELPER = "lib/words.py"
STEP = "steps/number.step.ts"

FILES = {
    "steps/word_step.py": """
from lib.words import WORD

config = {"type": "api", "name": "word", "method": "GET", "path": "/word"}


async def handler(req, context):
    return {"status": 200, "body": WORD}
""",
    HELPER: "WORD = 'even'\n",
    STEP: """
export const config = { type: 'api', name: 'number', method: 'GET', path: '/number' };
export const handler = async () => ({ status: 200, body: 'even' });
""",
}


@dataclass(frozen=True)
class Figures:
    """What ``dev`` holds; ``forker`` is the process that its children are forked from."""

    rss_mb: float
    forker_rss_mb: float
    files: int
    forker_files: int
    threads: int
    processes: int

    def __str__(self) -> str:
        return (
            f"dev {self.rss_mb:.1f} MB, {self.files} files, {self.threads} threads; "
            f"forker {self.forker_rss_mb:.1f} MB, {self.forker_files} files; "
            f"{self.processes} processes"
        )


class Reloads:
    """A running ``dev`` whose files are edited in turn."""

    def __init__(self, folder: Path, dev: psutil.Process, address: str) -> None:
        self._folder = folder
        self._dev = dev
        self._address = address
        self._done = 0
        self._words = {HELPER: "even", STEP: "even"}

    def reload(self) -> None:
        """Edits one of the two files, and returns once the app answers with it."""
        file = (HELPER, STEP)[self._done % 2]
        old = self._words[file]
        new = self._words[file] = "odd" if old == "even" else "even"
        path = self._folder / file
        path.write_text(path.read_text().replace(f"'{old}'", f"'{new}'"))
        self._wait_for("/word" if file == HELPER else "/number", new)
        self._done += 1

    def wait_until_up(self) -> None:
        """Returns once both routes answer."""
        self._wait_for("/word", "even")
        self._wait_for("/number", "even")

    def _wait_for(self, path: str, text: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _text(self._address + path) != text:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} does not answer {text!r}")
            time.sleep(0.02)

    def figures(self) -> Figures:
        """What is held now, once no old process is left."""
        children = self._settled()
        forker = next(p for p in children if "forkserver" in " ".join(p.cmdline()) and p.children())
        return Figures(
            rss_mb=self._dev.memory_info().rss / 2**20,
            forker_rss_mb=forker.memory_info().rss / 2**20,
            files=self._dev.num_fds(),
            forker_files=forker.num_fds(),
            threads=self._dev.num_threads(),
            processes=len(children),
        )

    def _settled(self) -> list[psutil.Process]:
        """The processes below ``dev`` once their number stays."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        same, children = 0, self._dev.children(recursive=True)
        while same < 10 and time.monotonic() < deadline:
            time.sleep(0.1)
            before, children = len(children), self._dev.children(recursive=True)
            same = same + 1 if len(children) == before else 0
        return children


def _text(url: str) -> str | None:
    try:
        return httpx.get(url, timeout=5).text
    except httpx.TransportError:
        return None


@contextmanager
def running(folder: Path) -> Iterator[Reloads]:
    """A ``dev`` with its own embedded server, in a folder of its own."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ("MOTIA_", "AMQP_URL", "REDIS_URL")
    with (folder / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "motia_celery", "dev", "--port", str(port)],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(own)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        reloads = Reloads(folder, psutil.Process(process.pid), f"http://127.0.0.1:{port}")
        reloads.wait_until_up()
        yield reloads
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_SECONDS)


def main() -> None:
    """Prints the figures before and after."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=1000)
    count = parser.parse_args().reloads
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as reloads:
        for _ in range(WARM_UP):
            reloads.reload()
        start = reloads.figures()
        print(f"after {WARM_UP} reloads: {start}", flush=True)
        began = time.monotonic()
        for number in range(1, count + 1):
            reloads.reload()
            if number % max(1, count // 20) == 0:
                seconds = (time.monotonic() - began) / number
                print(f"{number:5d} more, {seconds:.2f} s each: {reloads.figures()}", flush=True)
        end = reloads.figures()
        print(f"memory of dev: {end.rss_mb / start.rss_mb:.3f} times that of the start")
        print(f"of its forker: {end.forker_rss_mb / start.forker_rss_mb:.3f} times")


if __name__ == "__main__":
    main()
