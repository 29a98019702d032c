"""What the relay makes of a delayed emit that is due: the event that it was."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from motia_celery.broker.relay_queue import relay_queue, relayed
from motia_celery.errors import MessageRejectedError
from motia_celery.plan.topology import Names


def delivery(headers, body=b'{"n":1}', **properties):
    return SimpleNamespace(
        body=body,
        properties={"application_headers": headers, **properties},
        delivery_info={},
        delivery_tag=7,
    )


def test_the_event_goes_to_everyone_as_it_was_emitted():
    headers = {"motia-topic": "order.paid", "motia-group": "g", "traceparent": "t", "x-death": []}
    message = relayed(
        delivery(headers, message_id="e", priority=3, correlation_id="c"), "app.events"
    )
    assert (message.exchange, message.routing_key) == ("app.events", "order.paid")
    assert message.body == b'{"n":1}'
    assert message.headers == {
        "motia-topic": "order.paid",
        "motia-group": "g",
        "traceparent": "t",
    }
    assert message.properties["message_id"] == "e"
    assert message.properties["priority"] == 3
    assert message.properties["correlation_id"] == "c"
    assert not message.mandatory, "nobody may have subscribed"


@pytest.mark.parametrize("headers", [None, {}, {"motia-topic": ""}, {"motia-topic": 5}])
def test_what_names_no_topic_is_refused(headers):
    with pytest.raises(MessageRejectedError, match="topic"):
        relayed(delivery(headers), "app.events")


class Channel:
    def __init__(self):
        self.rejected = []

    def basic_reject(self, tag, requeue):
        self.rejected.append((tag, requeue))


def test_a_delivery_is_forwarded_and_never_escapes_the_hook():
    forwarded = []
    queue = relay_queue(Names("app"), lambda *given: forwarded.append(given))
    queue._channel = channel = Channel()
    queue._relay(delivery({"motia-topic": "order.paid"}))
    queue._relay(delivery({}))
    ((used, tag, message),) = forwarded
    assert (used, tag, message.routing_key) == (channel, 7, "order.paid")
    assert channel.rejected == [(7, False)]
