"""Listening to a Redis channel for ever, through restarts of the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from redis.exceptions import ConnectionError, RedisError

if TYPE_CHECKING:
    import redis.asyncio

logger = logging.getLogger("motia_celery.streams")

#: A server that says nothing for so long is asked; silent for as long again, it is given up.
SILENCE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 2.0


async def published(
    client: redis.asyncio.Redis, channel: str, what: str = "Changes of streams"
) -> AsyncGenerator[bytes | None, None]:
    """What is published on the channel, from its first None on; ``what`` is its name in the log.

    Another None follows each time that the connection broke and is back: what was published
    meanwhile is lost. It takes one of the client's connections while it runs.
    """
    failures = 0
    while True:
        try:
            async with aclosing(_connected(client, channel)) as messages:
                async for message in messages:
                    failures = _recovered(failures, what)
                    yield message
        except (RedisError, OSError) as error:
            failures += 1
            _report(error, failures, what)
        await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, 0.05 * 2 ** min(failures, 10)))


async def _connected(
    client: redis.asyncio.Redis, channel: str
) -> AsyncGenerator[bytes | None, None]:
    """The same until the server can not be reached; redis-py may reconnect by itself."""
    pubsub: Any = client.pubsub()
    is_asked = False
    try:
        await pubsub.subscribe(channel)
        while True:
            message = await pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                if is_asked:
                    raise ConnectionError("the server does not answer any more")
                await pubsub.ping()
                is_asked = True
                continue
            is_asked = False
            if message["type"] in ("subscribe", "message"):
                yield None if message["type"] == "subscribe" else message["data"]
    finally:
        await pubsub.aclose()


def _report(error: Exception, failures: int, what: str) -> None:
    if failures == 1:
        extra = {"action": "streams.lost"}
        logger.warning("%s can not be heard, trying again: %s", what, error, extra=extra)


def _recovered(failures: int, what: str) -> int:
    if failures:
        logger.info("%s are heard again.", what, extra={"action": "streams.heard"})
    return 0
