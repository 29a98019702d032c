"""What a handler in another process may ask of its context, by the names in its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from motia_celery.context.context import Context
from motia_celery.context.response import Reply
from motia_celery.context.state import State

Method = Callable[..., Any]


def request_methods(context: Context) -> dict[str, Method]:
    """Each method of ``docs/frames.md``; its positional arguments are the frame's ``args``."""
    return {
        "emit": context.emit,
        "transaction": lambda parts: _transaction(context, parts),
        "celery.sendTask": context.celery.send,
        **_state_methods(context.state.plain),
        **_response_methods(context.reply),
        **{f"streams.{name}": _of_stream(context, name) for name in _STREAM_METHODS},
    }


async def _transaction(context: Context, parts: Iterable[Sequence[Any]]) -> None:
    """Does the parts of a transaction, each a method's name and its arguments, and commits."""
    async with context.transaction() as transaction:
        methods: dict[str, Method] = {
            "state.set": lambda group, key, value, options=None: transaction.state.set(
                group, key, value, ttl_seconds=_life(options)
            ),
            "state.delete": transaction.state.delete,
            "emit": transaction.emit,
        }
        for name, *arguments in parts:
            methods[name](*arguments)


_STREAM_METHODS = ("get", "set", "update", "delete", "getGroup", "listGroups", "send")


def _of_stream(context: Context, method: str) -> Method:
    """The method of the stream that the first argument names."""

    def call(stream: str, *arguments: Any) -> Any:
        return getattr(context.streams[stream], method)(*arguments)

    return call


def _state_methods(state: State) -> dict[str, Method]:
    def set_(group: str, key: str, value: Any, options: Mapping[str, Any] | None = None) -> Any:
        return state.set(group, key, value, ttl_seconds=_life(options))

    def compare_and_set(
        group: str, key: str, expected: Any, value: Any, options: Mapping[str, Any] | None = None
    ) -> Any:
        return state.compare_and_set(group, key, expected, value, ttl_seconds=_life(options))

    return {
        "state.get": state.get,
        "state.set": set_,
        "state.update": state.update,
        "state.compareAndSet": compare_and_set,
        "state.delete": state.delete,
        "state.getGroup": state.get_group,
        "state.listGroups": state.list_groups,
        "state.clear": state.clear,
    }


def _response_methods(reply: Reply | None) -> dict[str, Method]:
    if reply is None:
        return {}
    return {
        "response.start": reply.start,
        "response.write": lambda chunk: reply.write(_bytes(chunk)),
        "response.close": reply.close,
    }


def _bytes(chunk: str | bytes) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else chunk


def _life(options: Mapping[str, Any] | None) -> float | None:
    return (options or {}).get("ttlSeconds")
