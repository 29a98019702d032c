"""``/health/live`` and ``/health/ready``, for the platform that runs the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from motia_celery.run.responses import Response, json_response

log = logging.getLogger("motia_celery.web")

PROBE_TIMEOUT_SECONDS = 2.0

Probe = Callable[[], Awaitable[None]]


def live() -> Response:
    """200: the process answers."""
    return json_response(200, {"status": "live"})


async def ready(probes: Mapping[str, Probe]) -> Response:
    """200 where every probe passes within 2 seconds, else 503 with the names of those that fail.

    What a probe raised goes to the log only: it may name hosts and users.
    """
    passed = await asyncio.gather(*(_passes(name, probe) for name, probe in probes.items()))
    checks = {name: "ok" if ok else "failed" for name, ok in zip(probes, passed, strict=True)}
    if all(passed):
        return json_response(200, {"status": "ready", "checks": checks})
    return json_response(503, {"status": "not ready", "checks": checks})


async def _passes(name: str, probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            await probe()
    except Exception as error:
        log.warning(
            "Not ready: %s fails (%s).",
            name,
            type(error).__name__,
            extra={"action": "web.not_ready", "probe": name},
        )
        return False
    return True
