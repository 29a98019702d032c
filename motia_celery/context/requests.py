"""What a handler in another process may ask of its context, by the names in its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from motia_celery.context.context import Context
from motia_celery.context.response import Reply
from motia_celery.context.state import State

Method = Callable[..., Any]


def request_method(context: Context, name: str) -> Method | None:
    """The method of ``docs/frames.md`` with this name, if there is one; its positional arguments
    are the frame's ``args``.
    """
    made = _METHODS.get(name)
    return made(context) if made else None


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


def _set(state: State) -> Method:
    def set_(group: str, key: str, value: Any, options: Mapping[str, Any] | None = None) -> Any:
        return state.set(group, key, value, ttl_seconds=_life(options))

    return set_


def _compare_and_set(state: State) -> Method:
    def compare_and_set(
        group: str, key: str, expected: Any, value: Any, options: Mapping[str, Any] | None = None
    ) -> Any:
        return state.compare_and_set(group, key, expected, value, ttl_seconds=_life(options))

    return compare_and_set


def _of_stream(method: str, context: Context) -> Method:
    """The method of the stream that the first argument names."""

    def call(stream: str, *arguments: Any) -> Any:
        return getattr(context.streams[stream], method)(*arguments)

    return call


def _of_state(made: Callable[[State], Method], context: Context) -> Method:
    return made(context.state.plain)


def _of_reply(made: Callable[[Reply], Method], context: Context) -> Method | None:
    return None if context.reply is None else made(context.reply)


def _bytes(chunk: str | bytes) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else chunk


def _life(options: Mapping[str, Any] | None) -> float | None:
    return (options or {}).get("ttlSeconds")


_STATE: Mapping[str, Callable[[State], Method]] = {
    "get": lambda state: state.get,
    "set": _set,
    "update": lambda state: state.update,
    "compareAndSet": _compare_and_set,
    "delete": lambda state: state.delete,
    "getGroup": lambda state: state.get_group,
    "listGroups": lambda state: state.list_groups,
    "clear": lambda state: state.clear,
}
_REPLY: Mapping[str, Callable[[Reply], Method]] = {
    "start": lambda reply: reply.start,
    "write": lambda reply: lambda chunk: reply.write(_bytes(chunk)),
    "close": lambda reply: reply.close,
}
_STREAM = ("get", "set", "update", "delete", "getGroup", "listGroups", "send")
#: By their names what makes them for a context: to make all of them for each run that asks for one
#: was a quarter of what the run cost here.
_METHODS: Mapping[str, Callable[[Context], Method | None]] = {
    "emit": lambda context: context.emit,
    "transaction": lambda context: partial(_transaction, context),
    "celery.sendTask": lambda context: context.celery.send,
    **{f"state.{name}": partial(_of_state, made) for name, made in _STATE.items()},
    **{f"response.{name}": partial(_of_reply, made) for name, made in _REPLY.items()},
    **{f"streams.{name}": partial(_of_stream, name) for name in _STREAM},
}
