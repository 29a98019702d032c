"""Where the publisher sends what, and how it answers; no broker is needed for that."""

import asyncio
import time

import pytest

from motia_celery.broker.publisher import Publisher
from motia_celery.broker.sender import Pending
from motia_celery.errors import EmitError
from motia_celery.model.event import Event
from motia_celery.model.run import RunError
from motia_celery.model.step import LONGEST_DELAY_SECONDS
from motia_celery.plan.topology import Names, QueuePlan, Topology
from motia_celery.settings import Settings

NAMES = Names("app")
ONE = QueuePlan(name="app.q.one", step="one", topics=("order.*",))
TWO = QueuePlan(name="app.q.two", step="two", topics=("order.paid",))
TOPOLOGY = Topology(NAMES, (ONE, TWO))
AMQP = {"broker_url": "amqp://127.0.0.1:1//", "redis_url": "redis://127.0.0.1:1", "prefix": "app"}
REDIS = {"redis_url": "redis://127.0.0.1:1", "prefix": "app"}


def on(settings):
    return Publisher(Settings(**settings), TOPOLOGY)


def places(messages):
    return [(message.exchange, message.routing_key, message.mandatory) for message in messages]


def test_an_emit_is_one_publish_on_rabbitmq():
    messages = on(AMQP)._event_messages(Event(topic="order.paid", data=1))
    assert places(messages) == [("app.events", "order.paid", False)]


def test_an_emit_is_a_publish_for_each_subscriber_on_redis():
    """Redis transports share one delivery tag across a fan-out, and lose messages by it."""
    publisher = on(REDIS)
    paid = publisher._event_messages(Event(topic="order.paid", data=1))
    assert places(paid) == [("", "app.q.one", False), ("", "app.q.two", False)]
    assert places(publisher._event_messages(Event(topic="nobody", data=1))) == []


def test_copies_of_an_event_have_the_same_id():
    messages = on(REDIS)._event_messages(Event(topic="order.paid", data=1, id="e"))
    assert {message.properties["message_id"] for message in messages} == {"e"}


def test_a_direct_send_reaches_one_queue_and_must_arrive():
    event = Event(topic="order.paid", data=1)
    message = on(AMQP)._direct(event, ONE, "run", 2, 0)
    assert places([message]) == [("app.steps", "app.q.one", True)]
    assert message.headers["motia-run-id"] == "run"
    assert message.headers["motia-attempt"] == 2


@pytest.mark.parametrize(("seconds", "bits"), [(0.2, 1), (1, 1), (1.6, 2), (5, 5)])
def test_a_delay_is_whole_seconds_in_the_routing_key(seconds, bits):
    """At least one; the private queue's name ends the key, never a topic."""
    message = on(AMQP)._direct(Event(topic="order.paid", data=1), ONE, None, 1, seconds)
    assert message.exchange == "celery_delayed_27"
    digits, _, name = message.routing_key.partition(".app.")
    assert int(digits.replace(".", ""), 2) == bits
    assert name == "q.one"


def test_a_delay_on_redis_is_held_and_not_a_routing_key():
    message = on(REDIS)._direct(Event(topic="order.paid", data=1), ONE, None, 1, 1.5)
    assert places([message]) == [("", "app.q.one", True)]
    assert message.delay_seconds == 1.5


@pytest.mark.parametrize(
    ("settings", "place"),
    [(AMQP, ("app.dlx", "app.q.one", True)), (REDIS, ("", "app.dlq", True))],
    ids=["rabbitmq", "redis"],
)
def test_a_dead_letter_says_why(settings, place):
    error = RunError("ValueError", "bad", "steps/a.py:3")
    message = on(settings)._dead_letter(Event(topic="order.paid", data=1), ONE, error, "run", 1)
    assert places([message]) == [place]
    told = {name: message.headers[name] for name in message.headers if name != "traceparent"}
    assert abs(int(told.pop("motia-died-at")) / 1000 - time.time()) < 60
    assert told == {
        "motia-topic": "order.paid",
        "motia-attempt": 1,
        "motia-error-type": "ValueError",
        "motia-error-message": "bad",
        "motia-error-where": "steps/a.py:3",
        "motia-run-id": "run",
        "motia-step": "one",
        "motia-queue": "app.q.one",
    }


# Answers, matched to what is under way.


class Under:
    """A publisher with three messages under way."""

    def __init__(self, mandatory=False):
        self.publisher = on(AMQP)
        events = [Event(topic="order.paid", data=n, id=f"e{n}") for n in (1, 2, 3)]
        messages = [
            self.publisher._direct(event, ONE, None, 1, 0)
            if mandatory
            else self.publisher._event_messages(event)[0]
            for event in events
        ]
        self.sender = self.publisher._sender
        self.pending = [Pending(message, 10**12) for message in messages]
        self.sender._unconfirmed = dict(enumerate(self.pending, 1))

    def answered(self):
        return [
            ("open" if not p.done.done() else "failed" if p.done.exception() else "sent")
            for p in self.pending
        ]


def test_an_ack_answers_its_own_message():
    under = Under()
    under.sender._answered(2, False, accepted=True)
    assert under.answered() == ["open", "sent", "open"]


def test_an_ack_of_several_answers_all_up_to_it():
    under = Under()
    under.sender._answered(2, True, accepted=True)
    assert under.answered() == ["sent", "sent", "open"]


def test_a_nack_is_an_error():
    under = Under()
    under.sender._answered(1, False, accepted=False)
    assert under.answered() == ["failed", "open", "open"]
    with pytest.raises(EmitError, match=r"'order\.paid'.*full"):
        under.pending[0].done.result()


def test_an_unknown_answer_is_passed_over():
    under = Under()
    under.sender._answered(9, False, accepted=True)
    assert under.answered() == ["open", "open", "open"]


def test_a_returned_message_is_an_error_though_it_is_acked():
    under = Under(mandatory=True)
    raw = type("Raw", (), {"properties": {"message_id": "e2"}})()
    under.sender._on_return(None, "", "app.q.one", raw)
    for tag in (1, 2, 3):
        under.sender._answered(tag, False, accepted=True)
    assert under.answered() == ["sent", "failed", "sent"]


def test_a_returned_message_is_known_by_its_queue_too():
    """One event may be under way to several Steps, of which one is gone."""
    under = Under(mandatory=True)
    raw = type("Raw", (), {"properties": {"message_id": "e2"}})()
    under.sender._on_return(None, "", "app.q.two", raw)
    under.sender._answered(2, False, accepted=True)
    assert under.answered() == ["open", "sent", "open"]


def test_a_late_answer_does_not_matter_to_a_caller_who_gave_up():
    under = Under()
    with pytest.raises(EmitError, match="did not confirm in time"):
        under.sender.give_up(under.pending[0])
    under.sender._answered(1, False, accepted=True)
    assert under.answered()[0] == "failed"


# Delays of events


def test_a_delayed_event_goes_to_the_relay_on_rabbitmq():
    """The seconds are in the key; its topic travels in a header."""
    publisher = on(AMQP)
    (message,) = publisher._event_messages(Event(topic="order.paid", data=1, id="e"), 1.2)
    digits, _, name = message.routing_key.partition(".app.")
    assert (message.exchange, name, message.mandatory) == ("celery_delayed_27", "relay", True)
    assert int(digits.replace(".", ""), 2) == 2, "never early"
    assert message.headers["motia-topic"] == "order.paid"
    assert message.properties["message_id"] == "e"


def test_the_longest_delay_fits_into_the_key():
    (message,) = on(AMQP)._event_messages(Event(topic="t", data=1), LONGEST_DELAY_SECONDS)
    digits, _, _ = message.routing_key.partition(".app.")
    assert int(digits.replace(".", ""), 2) == LONGEST_DELAY_SECONDS


def test_a_delayed_event_is_held_whole_on_redis():
    """Who hears it is looked up when it is due."""
    (message,) = on(REDIS)._event_messages(Event(topic="order.paid", data=1), 1.2)
    assert (message.exchange, message.routing_key) == ("app.events", "order.paid")
    assert message.delay_seconds == 1.2


def test_a_step_of_its_own_delay_gets_its_copy_later_on_redis():
    slow = QueuePlan(name="app.q.slow", step="slow", topics=("order.#",), delay_seconds=5)
    publisher = Publisher(Settings(**REDIS), Topology(NAMES, (ONE, slow)))
    one, later = publisher._event_messages(Event(topic="order.paid", data=1))
    assert (one.delay_seconds, "motia-delayed" in one.headers) == (0, False)
    assert (later.delay_seconds, later.headers["motia-delayed"]) == (5, True)


def test_a_direct_send_is_not_held_back_by_the_delay_of_its_step():
    slow = QueuePlan(name="app.q.slow", step="slow", topics=("order.#",), delay_seconds=5)
    message = on(AMQP)._direct(Event(topic="order.paid", data=1), slow, None, 1, 0)
    assert message.headers["motia-delayed"] is True


# What was given up is not sent


def late(*pendings):
    under = Under()
    sent = []
    under.sender._connect = lambda: None
    under.sender._send = lambda message: sent.append(message)
    return [under.sender._sent(pending) for pending in pendings], sent


def test_a_message_past_its_deadline_is_not_sent_any_more():
    message = on(AMQP)._event_messages(Event(topic="order.paid", data=1))[0]
    pending = Pending(message, time.monotonic() - 1)
    assert late(pending) == ([False], [])
    with pytest.raises(EmitError, match="it was not sent"):
        pending.done.result(0)


def test_a_message_that_was_taken_back_is_not_sent_any_more():
    message = on(AMQP)._event_messages(Event(topic="order.paid", data=1))[0]
    pending = Pending(message, 10**12)
    Under().sender.drop(pending)
    assert late(pending) == ([False], [])


def test_the_error_says_whether_the_event_may_have_arrived():
    message = on(AMQP)._event_messages(Event(topic="order.paid", data=1))[0]
    pending = Pending(message, 10**12)
    assert late(pending) == ([True], [message])
    with pytest.raises(EmitError, match="may have arrived all the same"):
        Under().sender.give_up(pending)


async def test_a_cancelled_emit_takes_its_message_back():
    """A request that timed out must not have its event sent later."""
    publisher = on({**AMQP, "direct": False})
    taken = []
    publisher._sender.put = lambda message, seconds: (
        taken.append(Pending(message, 10**12)) or (taken[-1])
    )
    emit = asyncio.create_task(publisher.emit(Event(topic="order.paid", data=1)))
    await asyncio.sleep(0)
    emit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await emit
    assert taken[0].done.done()


def test_the_order_of_a_group_outranks_a_priority():
    """A broker with priorities would take one of a group before older ones."""
    fifo = QueuePlan(name="app.q.pay", step="pay", topics=("order.paid",), partitions=2)
    publisher = Publisher(Settings(**AMQP), Topology(NAMES, (ONE, fifo)))
    for topic, group, kept in (("order.paid", "g", False), ("order.new", "g", True)):
        event = Event(topic=topic, data=1, group=group, priority=9)
        (message,) = publisher._event_messages(event)
        assert ("priority" in message.properties) is kept
    (message,) = publisher._event_messages(Event(topic="order.paid", data=1, priority=9))
    assert message.properties["priority"] == 9


def test_a_delay_is_waited_for_in_a_partition():
    """Held outside of it, messages of one group could change places."""
    fifo = QueuePlan(name="q", step="pay", topics=("paid",), partitions=2, delay_seconds=5)
    publisher = Publisher(Settings(**REDIS), Topology(NAMES, (fifo,)))
    (message,) = publisher._event_messages(Event(topic="paid", data=1))
    assert (message.delay_seconds, "motia-delayed" in message.headers) == (0, False)
