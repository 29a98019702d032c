"""Access rules decide who joins; whatever goes wrong in one denies."""

from __future__ import annotations

import asyncio
import logging

import pytest

from motia_celery.model.step import Stream
from motia_celery.runtime.access import Access
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.source import Definition

SUBSCRIPTION = {"groupId": "room", "id": "1"}


@pytest.fixture
def make(tmp_path):
    host = PythonHost(tmp_path, threads=2)

    def make(rule, timeout_seconds=10.0, hooks=(), **stream):
        fields = {"name": "chat", "file": "steps/chat_stream.py", "language": "python"}
        fields |= {"has_access_rule": rule is not None, "hooks": tuple(hooks)}
        declared = Stream(**{**fields, **stream})
        hooks = dict(hooks)
        host.register_access("chat", Definition(config={}, can_access=rule, hooks=hooks))
        contexts = lambda run, stream: NoCalls(run.trace.trace_id)  # noqa: E731
        return Access([declared], {"python": host}, timeout_seconds, contexts=contexts)

    yield make
    host.close()


class NoCalls:
    """A context on which nothing was called."""

    def __init__(self, trace_id):
        self.trace_id = trace_id

    async def finish(self):
        pass

    async def settle(self):
        pass

    def cancel(self):
        pass


async def coroutine_rule(subscription, auth_context):
    await asyncio.sleep(0)
    return subscription["groupId"] == auth_context["room"] and subscription.get("id") == "1"


def function_rule(subscription, auth_context):
    return subscription["groupId"] == auth_context["room"] and subscription.get("id") == "1"


class ObjectRule:
    async def __call__(self, subscription, auth_context):
        return await coroutine_rule(subscription, auth_context)


@pytest.mark.parametrize("rule", [coroutine_rule, function_rule, ObjectRule()])
async def test_a_rule_sees_the_subscription_and_the_auth_context(make, rule):
    access = make(rule)
    assert await access.allows("chat", SUBSCRIPTION, {"room": "room"}) is True
    assert await access.allows("chat", {"groupId": "room"}, {"room": "room"}) is False
    assert await access.allows("chat", SUBSCRIPTION, {"room": "other"}) is False


@pytest.mark.parametrize(
    ("value", "allowed"), [(1, True), ("yes", True), (None, False), (0, False)]
)
async def test_what_counts_is_whether_the_answer_is_true(make, value, allowed):
    assert await make(lambda subscription: value).allows("chat", SUBSCRIPTION, None) is allowed


async def test_a_stream_without_a_rule_is_open_and_an_unknown_one_closed(make):
    access = make(None)
    assert await access.allows("chat", SUBSCRIPTION, None)
    assert not await access.allows("other", SUBSCRIPTION, None)


def raises(subscription, auth_context):
    raise ValueError("no such user")


def exits(subscription, auth_context):
    raise SystemExit(1)


async def cancels(subscription, auth_context):
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("rule", "reason"),
    [(raises, "ValueError: no such user"), (exits, "SystemExit"), (cancels, "cancelled")],
)
async def test_a_rule_that_raises_denies_and_is_logged(make, caplog, rule, reason):
    assert await make(rule).allows("chat", SUBSCRIPTION, None) is False
    assert reason in caplog.text
    assert "steps/chat_stream.py" in caplog.text


async def test_a_rule_that_takes_too_long_denies(make, caplog):
    async def waits(subscription, auth_context):
        await asyncio.Event().wait()

    assert await make(waits, timeout_seconds=0.01).allows("chat", SUBSCRIPTION, None) is False
    assert "longer than 0.01 s" in caplog.text


async def test_a_rule_that_can_not_be_called_denies(make, caplog):
    """The file said that there is one; it is a problem of the Plan too."""
    caplog.set_level(logging.ERROR)
    access = make("admins only", has_access_rule=True)
    assert await access.allows("chat", SUBSCRIPTION, None) is False


async def test_a_client_that_leaves_meanwhile_is_no_fault_of_the_rule(make, caplog):
    async def waits(subscription, auth_context):
        await asyncio.Event().wait()

    task = asyncio.create_task(make(waits).allows("chat", SUBSCRIPTION, None))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not caplog.records


async def test_a_rule_may_not_change_what_is_joined(make):
    subscription = dict(SUBSCRIPTION)
    assert await make(lambda asked: asked.clear() or True).allows("chat", subscription, None)
    assert subscription == SUBSCRIPTION


class Result:
    unauthorized = True


@pytest.mark.parametrize(
    ("result", "allowed"),
    [
        (None, True),
        ({}, True),
        ({"unauthorized": False}, True),
        ({"unauthorized": True}, False),
        (Result(), False),
        (False, False),
    ],
)
async def test_on_join_says_who_is_unauthorized(make, result, allowed):
    access = make(None, hooks={"onJoin": lambda subscription, context, auth: result})
    assert await access.allows("chat", SUBSCRIPTION, None) is allowed


async def test_a_client_must_please_the_rule_and_the_hook(make):
    asked = []

    def on_join(subscription, context, auth):
        asked.append((subscription, len(context.trace_id), auth))

    access = make(lambda subscription, auth: auth["may"], hooks={"onJoin": on_join})
    assert await access.allows("chat", SUBSCRIPTION, {"may": False}) is False
    assert await access.allows("chat", SUBSCRIPTION, {"may": True}) is True
    assert asked == [(SUBSCRIPTION, 32, {"may": True})]


async def test_a_hook_reads_the_subscription_by_attributes_too(make):
    asked = []

    def on_join(subscription, context, auth):
        asked.append((subscription.group_id, subscription.id))

    access = make(None, hooks={"onJoin": on_join})
    for subscription in ({"groupId": "room"}, {"groupId": "room", "id": "1"}):
        assert await access.allows("chat", subscription, None) is True
    assert asked == [("room", None), ("room", "1")]


@pytest.mark.parametrize("hook", [raises, exits, cancels, "admins"])
async def test_a_hook_that_fails_denies_and_is_logged(make, caplog, hook):
    assert await make(None, hooks={"onJoin": hook}).allows("chat", SUBSCRIPTION, None) is False
    assert "onJoin of the stream 'chat' failed, so access was denied" in caplog.text


async def test_on_leave_hears_who_left_and_harms_nobody(make, caplog):
    gone = []

    async def on_leave(subscription, context, auth):
        gone.append((subscription, auth))
        raise ValueError("too late")

    access = make(None, hooks={"onLeave": on_leave})
    assert await access.allows("chat", SUBSCRIPTION, None) is True
    access.left("chat", SUBSCRIPTION, {"user": 1})
    access.left("nowhere", SUBSCRIPTION, None)
    await access.aclose()
    assert gone == [(SUBSCRIPTION, {"user": 1})]
    assert "onLeave of the stream 'chat' failed: ValueError: too late" in caplog.text
