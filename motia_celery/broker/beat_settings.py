"""Beat's part of Celery's configuration; each process has it, and only beat imports redbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from motia_celery.stores.connections import connection_name, redis_tls
from motia_celery.stores.redis import retry_once

if TYPE_CHECKING:
    from motia_celery.settings import Settings

#: The longest pause between two looks at the schedule and the lock.
MAX_LOOP_SECONDS = 1.0


def redbeat_settings(settings: Settings) -> dict[str, Any]:
    """Celery's configuration for beat: where Redis is, the lock, and how often to look."""
    lock_seconds = settings.beat_lock_seconds
    return {
        "redbeat_redis_url": settings.redis,
        "redbeat_key_prefix": f"{settings.prefix}:redbeat:",
        "redbeat_lock_timeout": lock_seconds,
        "redbeat_redis_use_ssl": redis_tls(settings),
        "redbeat_redis_options": _redis_options(settings),
        # The lock is kept alive once a loop, so a loop must end well before it runs out.
        "beat_max_loop_interval": min(MAX_LOOP_SECONDS, lock_seconds / 3),
    }


def _redis_options(settings: Settings) -> dict[str, Any]:
    """The Redis client's options.

    No ``retry_period``: it would sleep inside a call, past the lock's end, where the next tick
    tries again anyway. The client itself retries once, for a connection that Redis has closed.
    """
    timeout = max(1.0, settings.beat_lock_seconds / 2)
    return {
        "client_name": connection_name(settings),
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "socket_keepalive": True,
        "health_check_interval": 30,
        "retry": retry_once(),
    }
