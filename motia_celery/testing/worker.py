"""The worker process of an app under test on real servers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from motia_celery.errors import HostDiedError

_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 15.0
_SHOWN: Final = 4000


class WorkerProcess:
    """``motia-celery worker`` in the project's folder; what it says is kept in a file."""

    def __init__(self, root: Path, settings: Mapping[str, Any]) -> None:
        self._log = tempfile.NamedTemporaryFile(prefix="motia-worker-", suffix=".log")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "motia_celery", "worker"],
            cwd=root,
            env=os.environ | {"MOTIA_ROOT": str(root)} | environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        """What it said."""
        return Path(self._log.name).read_text(errors="replace")

    async def ready(self) -> None:
        """Returns once it takes events.

        Raises:
            HostDiedError: it ended, or takes too long.
        """
        async with asyncio.timeout(_START_SECONDS):
            while '"worker.ready"' not in self.output:
                self.require_alive()
                await asyncio.sleep(0.1)

    def require_alive(self) -> None:
        """Returns if it runs.

        Raises:
            HostDiedError: it ended.
        """
        code = self._process.poll()
        if code is not None:
            raise HostDiedError(
                f"the worker ended with {code}. It said:\n{self.output[-_SHOWN:]}\n", "StepTester"
            )

    def stop(self) -> None:
        """Ends it, and what it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


def environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as the variables that a process reads them from."""
    return {f"MOTIA_{name.upper()}": _text(value) for name, value in settings.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, (list, tuple)) else str(value)
