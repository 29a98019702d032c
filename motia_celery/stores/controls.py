"""Controls in Redis: remembered through restarts, and told to every process at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from motia_celery.model.control import Controls
from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

#: A run or trace that was called off is remembered as long as an event may be delayed, and more.
REMEMBERED_SECONDS = 40 * 86400


class ControlStore:
    """The controls of one prefix.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._paused = f"{prefix}:paused"
        self._called_off = f"{prefix}:called-off"
        self._emptied = f"{prefix}:emptied"
        self._channel = f"{prefix}:controls"

    def read(self) -> Controls:
        """What is in force."""
        now = time.time()
        with reaching(self._client), self._client.pipeline(transaction=True) as pipe:
            pipe.smembers(self._paused)
            pipe.zrangebyscore(self._called_off, now, "+inf")
            pipe.hgetall(self._emptied)
            paused, called_off, emptied = pipe.execute()
        names = [name.decode() for name in called_off]
        return Controls(
            paused=frozenset(step.decode() for step in paused),
            runs=frozenset(name[4:] for name in names if name.startswith("run:")),
            traces=frozenset(name[6:] for name in names if name.startswith("trace:")),
            emptied={step.decode(): float(moment) for step, moment in emptied.items()},
        )

    def pause(self, step: str) -> bool:
        """Pauses a Step; False if it was paused already."""
        return bool(self._change(lambda pipe: pipe.sadd(self._paused, step)))

    def resume(self, step: str) -> bool:
        """Lets a Step go on; False if it was not paused."""
        return bool(self._change(lambda pipe: pipe.srem(self._paused, step)))

    def call_off_run(self, run_id: str) -> None:
        """Lets no further attempt of the run begin, and cuts one that is under way."""
        self._call_off(f"run:{run_id}")

    def call_off_trace(self, trace_id: str) -> None:
        """The same for every run of a trace."""
        self._call_off(f"trace:{trace_id}")

    def empty(self, step: str, moment: float) -> None:
        """Calls off every event for the Step that was emitted before ``moment``, an epoch time."""
        self._change(lambda pipe: pipe.hset(self._emptied, step, repr(moment)))

    def _call_off(self, name: str) -> None:
        now = time.time()

        def change(pipe: redis.client.Pipeline) -> None:
            pipe.zadd(self._called_off, {name: now + REMEMBERED_SECONDS})
            pipe.zremrangebyscore(self._called_off, "-inf", now)

        self._change(change)

    def _change(self, change: Callable[[redis.client.Pipeline], object]) -> int:
        with reaching(self._client), self._client.pipeline(transaction=True) as pipe:
            change(pipe)
            pipe.publish(self._channel, b"")
            return int(pipe.execute()[0])

    def watch(
        self, changed: Callable[[Controls], None], is_over: Callable[[], bool], every_seconds: float
    ) -> None:
        """Calls ``changed`` with what is in force: now, and whenever it may have changed.

        Blocks until ``is_over``, which is asked at least every ``every_seconds``, or until Redis
        does not answer.
        """
        with reaching(self._client), self._client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.subscribe(self._channel)
            # Subscribed first, so that no change falls between the two.
            changed(self.read())
            while not is_over():
                message = pubsub.get_message(timeout=every_seconds)
                if message is not None and message["type"] == "message":
                    changed(self.read())
