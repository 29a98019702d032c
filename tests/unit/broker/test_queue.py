"""The consumer hook on made-up deliveries: an event, this Step's task, or a refusal."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu.serialization import loads

from motia_celery.broker.delivery import EVENT_TASK, task_fault
from motia_celery.broker.queue import step_queue
from motia_celery.errors import MessageRejectedError
from motia_celery.model.event import run_id
from motia_celery.model.redaction import Redaction
from motia_celery.plan.topology import Names, QueuePlan

NAMES = Names("app")
PLAN = QueuePlan(name="app.q.pay", step="pay", topics=("order.*",))
OWN = {"task": "step:pay", "id": "i"}


def queue(**options):
    return step_queue(PLAN, NAMES, **{"amqp": True, "prefetch": 1, "limit_bytes": 1000} | options)


def delivery(body=b"{}", headers=None, exchange="app.events", key="order.paid", **properties):
    """An AMQP delivery as the client library gives it."""
    if headers is not None:
        properties["application_headers"] = headers
    info = {"exchange": exchange, "routing_key": key, "delivery_tag": 1}
    return SimpleNamespace(body=body, properties=properties, delivery_info=info, delivery_tag=1)


def adapted(**fields):
    raw = delivery(**fields)
    queue().adapt(raw)
    return raw, raw.properties["application_headers"]


def test_an_event_becomes_a_task_message_for_this_step():
    raw, headers = adapted(body=b'{"n": 1}', message_id="e")
    assert headers["task"] == "step:pay"
    assert headers["id"] == raw.properties["correlation_id"] == run_id("e", "app.q.pay")
    assert headers["motia-topic"] == "order.paid"
    args, kwargs, embed = json.loads(raw.body)
    assert (args, kwargs) == ([{"n": 1}], {})
    assert set(embed.values()) == {None}


def test_the_delivery_seems_to_come_from_the_queue_itself():
    """A retry goes to where the delivery came from: this Step, and not every subscriber."""
    for fields in ({}, {"body": b"[[],{},{}]", "headers": OWN}):
        raw = delivery(**fields)
        queue().adapt(raw)
        assert (raw.delivery_info["exchange"], raw.delivery_info["routing_key"]) == ("", PLAN.name)


def test_a_redelivery_gets_the_same_id():
    for fields in ({"message_id": "e"}, {}, {"timestamp": 5}):
        ids = {adapted(body=b'{"n":1}', **fields)[1]["id"] for _ in range(2)}
        assert len(ids) == 1


def test_messages_without_an_id_differ_by_body_topic_and_time():
    ids = {
        adapted(body=body, key=key, timestamp=time)[1]["id"]
        for body in (b"1", b"2")
        for key in ("order.a", "order.b")
        for time in (1, 2)
    }
    assert len(ids) == 8


def test_the_topic_header_wins_over_the_routing_key():
    """A retry arrives by the queue's name, and still knows its topic."""
    _, headers = adapted(headers={"motia-topic": "order.x"}, exchange="app.steps", key=PLAN.name)
    assert headers["motia-topic"] == "order.x"


def test_a_direct_message_without_a_topic_has_none():
    _, headers = adapted(exchange="app.steps", key=PLAN.name)
    assert headers["motia-topic"] == ""


@pytest.mark.parametrize(
    ("given", "retries"),
    [(None, 0), (1, 0), (3, 2), (0, 0), (-1, 0), ("3", 0), (True, 0), (10**9, 0), (2.0, 0)],
)
def test_the_attempt_counts_from_one(given, retries):
    assert adapted(headers={"motia-attempt": given})[1]["retries"] == retries


def test_foreign_headers_do_not_reach_celery():
    """Celery would take some of them for its own."""
    odd = {"eta": "x", "expires": 1, "timelimit": 5, "compression": "z", "is_eager": 1, "x": 1}
    _, headers = adapted(headers=odd)
    assert (headers["eta"], headers["expires"], headers["timelimit"]) == (None, None, [None, None])
    assert not {"compression", "is_eager", "x"} & set(headers)


def test_ids_that_are_too_long_to_send_on_are_left_out():
    _, headers = adapted(headers={"motia-root-id": "x" * 256, "motia-run-id": "x" * 256})
    assert "motia-root-id" not in headers
    assert len(headers["id"]) == 36


def test_data_with_a_type_key_is_left_as_it_is():
    """kombu's own JSON would make a date of it, or fail."""
    data = {"__type__": "datetime", "__value__": "yesterday"}
    raw, _ = adapted(body=json.dumps(data).encode())
    content = raw.properties["content_type"]
    assert content == EVENT_TASK
    assert loads(raw.body, content, "utf-8", accept=[EVENT_TASK])[0] == [data]


@pytest.mark.parametrize(
    "fields",
    [
        {"body": b""},
        {"body": b"nope"},
        {"body": b'"\xff"'},
        {"body": b"1 2"},
        {"body": b"[" * 5000},
        {"body": b'"' + b"x" * 1000 + b'"'},
        {"content_type": "text/plain"},
        {"content_type": 5},
        {"content_encoding": "gzip"},
        {"headers": {"task": "step:other"}},
        {"headers": {"task": ""}},
        {"headers": {"task": ["step:pay"]}},
        {"headers": OWN, "body": b"{}"},
        {"headers": {"task": "step:pay"}, "body": b"[[],{},{}]"},
    ],
    ids=lambda fields: repr(fields)[:40],
)
def test_what_is_neither_is_refused_and_left_untouched(fields):
    raw = delivery(**fields)
    body, info = raw.body, dict(raw.delivery_info)
    with pytest.raises(MessageRejectedError):
        queue().adapt(raw)
    assert (raw.body, raw.delivery_info) == (body, info)


BODY = [[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]


@pytest.mark.parametrize(
    "headers",
    [
        {"id": 5},
        {"id": ""},
        {"compression": "gzip"},
        {"timelimit": 4},
        {"timelimit": [1]},
        {"timelimit": ["1", None]},
        {"timelimit": [-1, None]},
        {"retries": "x"},
        {"retries": -1},
    ],
    ids=str,
)
def test_a_task_with_headers_that_celery_fails_on_is_refused(headers):
    assert task_fault({**OWN, **headers}, BODY) is not None


@pytest.mark.parametrize(
    "body", [None, {}, [], [[]], [{}, {}, {}], [[], [], {}], [[], {}, {"id": 1}]]
)
def test_a_task_with_a_body_that_celery_fails_on_is_refused(body):
    assert task_fault(OWN, body) is not None


@pytest.mark.parametrize(
    "headers",
    [{}, {"timelimit": [None, None]}, {"timelimit": (3, 1.5)}, {"retries": 2}, {"timelimit": None}],
    ids=str,
)
def test_celerys_own_messages_pass(headers):
    assert task_fault({**OWN, **headers}, BODY) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KNOWN_HEADERS = (
    *("task", "id", "retries", "timelimit", "compression", "eta", "traceparent", "motia-topic"),
    *("motia-root-id", "motia-parent-id", "motia-group", "motia-attempt", "motia-run-id"),
)
HEADER_NAMES = st.text(max_size=8) | st.sampled_from(KNOWN_HEADERS)
BODIES = (
    st.binary(max_size=40)
    | st.text(max_size=20)
    | ANYTHING.map(lambda value: json.dumps(value, default=str).encode())
)
HEADERS = st.none() | st.dictionaries(
    HEADER_NAMES, ANYTHING | st.sampled_from(["step:pay", "i", 1]), max_size=6
)


@settings(max_examples=400, deadline=None)
@given(body=BODIES, headers=HEADERS, kind=ANYTHING, encoding=ANYTHING, identity=ANYTHING)
def test_whatever_comes_is_adapted_or_refused(body, headers, kind, encoding, identity):
    """No other exception ever leaves the hook's part that reads a delivery."""
    raw = delivery(body, headers, content_type=kind, content_encoding=encoding, message_id=identity)
    try:
        queue().adapt(raw)
    except MessageRejectedError:
        return
    assert raw.properties["application_headers"]["task"] == "step:pay"


@settings(max_examples=400, deadline=None)
@given(body=BODIES, headers=HEADERS)
def test_what_is_adapted_can_be_taken_by_celery(body, headers):
    raw = delivery(body, headers)
    try:
        queue().adapt(raw)
    except MessageRejectedError:
        return
    args, kwargs, _ = json.loads(raw.body)
    assert isinstance(args, list)
    assert isinstance(kwargs, dict)
    assert isinstance(raw.properties["application_headers"]["id"], str)


class Channel:
    """Notes what the queue asks of it."""

    def __init__(self):
        self.calls = []

    def basic_qos(self, size, count, all_of_them):
        self.calls.append(("qos", size, count, all_of_them))

    def basic_consume(self, **options):
        self.calls.append(("consume", options["queue"]))
        self.callback = options["callback"]

    def basic_reject(self, tag, requeue):
        self.calls.append(("reject", tag, requeue))


def consuming(callback, **options):
    channel = Channel()
    bound = queue(**options)
    bound._channel = channel
    bound.is_bound  # noqa: B018
    bound._is_bound = True
    bound.consume("tag", callback)
    return channel


def test_each_queue_sets_its_own_prefetch_before_it_consumes():
    channel = consuming(lambda raw: None, prefetch=7)
    assert channel.calls == [("qos", 0, 7, False), ("consume", "app.q.pay")]


def test_a_refused_message_is_rejected_and_celery_does_not_see_it():
    seen = []
    channel = consuming(seen.append)
    refused = delivery(b"nope")
    refused.channel = channel
    channel.callback(refused)
    assert seen == []
    assert channel.calls[-1] == ("reject", 1, False)


def test_an_exception_of_the_hook_never_reaches_the_workers_loop():
    seen = []
    channel = consuming(seen.append)
    channel.callback(
        SimpleNamespace(delivery_tag=9, properties=None, delivery_info=None, channel=channel)
    )
    assert channel.calls[-1] == ("reject", 9, False)


def test_a_refused_message_is_given_to_who_keeps_it():
    kept = []
    channel = consuming(lambda raw: None, refused=lambda raw, fault: kept.append(fault.what))
    channel.callback(delivery(b"", {"task": "other"}))
    assert kept == ["it asks for the task 'other'."]
    assert channel.calls[-1][0] == "consume"


def test_the_topics_are_bound_beside_the_queues_own_exchange():
    """kombu drops the exchange of a queue that is made with bindings."""
    made = queue()
    assert made.exchange.name == "app.steps"
    assert made.routing_key == "app.q.pay"
    assert {(b.exchange.name, b.routing_key) for b in made.bindings} == {("app.events", "order.*")}


def test_a_copy_keeps_everything():
    """Celery copies queues when it binds them to a channel."""
    import copy

    made = copy.copy(queue(prefetch=3))
    assert (made.task, made.prefetch, made.limit_bytes) == ("step:pay", 3, 1000)
    assert made.exchange.name == "app.steps"
    assert {b.routing_key for b in made.bindings} == {"order.*"}


def test_a_queue_can_be_shown_to_flower():
    """`inspect active_queues` sends it as JSON, whatever takes the refused messages."""
    made = queue(amqp=False, refused=lambda raw, fault: None)
    assert json.loads(json.dumps(made.as_dict(recurse=True)))["name"] == "app.q.pay"
    assert made.as_dict()["refused"] is not None


# A Step's own delay


SLOW = QueuePlan(name="app.q.slow", step="slow", topics=("order.*",), delay_seconds=10)
NOW = 1_900_000_000.5


def postponed(**fields):
    slow = step_queue(SLOW, NAMES, amqp=True, prefetch=1, limit_bytes=1000)
    return slow.postponed(delivery(**fields), NOW)


def test_a_new_event_waits_and_is_marked():
    """It keeps its id, its topic, its trace and its priority; the mark lets it through later."""
    headers = {"traceparent": "00-a-b-01", "x-death": [], "other": 1}
    message = postponed(headers=headers, message_id="e", priority=7, timestamp=5, body=b'{"n": 1}')
    assert message is None, "an event of long ago has waited enough"
    message = postponed(headers=headers, message_id="e", priority=7, body=b'{"n": 1}')
    assert (message.exchange, message.routing_key) == ("", "app.q.slow")
    assert (message.body, message.delay_seconds) == (b'{"n": 1}', 10)
    headers = dict(message.headers)
    assert headers.pop("motia-queued-at") > NOW / 10, "it begins to wait for a worker then"
    assert headers == {
        "traceparent": "00-a-b-01",
        "motia-topic": "order.paid",
        "motia-delayed": True,
    }
    assert message.properties == {"message_id": "e", "priority": 7, "delivery_mode": 2}


def test_an_event_without_an_id_names_the_same_run_before_and_after():
    message = postponed(body=b"1", timestamp=int(NOW))
    raw = delivery(body=b"1", timestamp=int(NOW))
    step_queue(SLOW, NAMES, amqp=True, prefetch=1, limit_bytes=1000).adapt(raw)
    identity = raw.properties["application_headers"]["id"]
    assert run_id(message.properties["message_id"], SLOW.name) == identity


@pytest.mark.parametrize(
    ("sent", "wait"),
    [(None, 10), (NOW - 0.5, 10), (NOW - 3.5, 7.5), (NOW + 60, 10), (NOW - 10.5, 0.5)],
)
def test_the_wait_counts_from_the_emit_and_is_never_too_short(sent, wait):
    """The time of sending has lost its fraction; clocks that go ahead do not matter."""
    message = postponed(timestamp=None if sent is None else int(sent))
    assert message.delay_seconds == pytest.approx(wait)


@pytest.mark.parametrize(
    "headers",
    [
        {"motia-delayed": True},
        {"motia-run-id": "r"},
        {"motia-attempt": 2},
        {"task": "step:slow", "id": "i"},
    ],
)
def test_retries_replays_and_tasks_do_not_wait_again(headers):
    assert postponed(headers=headers) is None


def test_a_step_without_a_delay_postpones_nothing():
    assert queue().postponed(delivery(), NOW) is None


def test_what_is_no_event_is_refused_instead_of_waiting():
    for fields in ({"body": b"nope"}, {"content_type": "text/plain"}):
        with pytest.raises(MessageRejectedError):
            postponed(**fields)


def test_a_queue_of_long_runs_may_hold_a_delivery_for_a_day():
    names = Names("app")
    long, short = (
        step_queue(
            QueuePlan(name="app.q.a", step="a", holds_long=holds),
            names,
            amqp=True,
            prefetch=1,
            limit_bytes=1,
        ).queue_arguments
        for holds in (True, False)
    )
    assert long == {**short, "x-consumer-timeout": 86_400_000}


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": 7, "card": {"password": "s3cret"}}',
        b'{"id": 7, "p\\u0061ssword": "s3cret"}',
        b'{"id": 7, "filler": "' + b"x" * 600 + b'", "password": "s3cret"}',
        b'{"id": 7, "form": "{\\"password\\": \\"s3cret\\"}"}',
    ],
    ids=["deep", "escaped", "large", "json-in-text"],
)
def test_flower_is_shown_no_secret_of_an_event(body):
    """The handler's data stays as it was sent."""
    raw, headers = adapted(body=body)
    assert "s3cret" not in headers["argsrepr"]
    assert '"id":7' in headers["argsrepr"].replace(" ", "")
    assert len(headers["argsrepr"]) <= 520
    assert json.loads(raw.body)[0] == [json.loads(body)]


def test_nor_of_a_task_that_celery_sent():
    secret = {"password": "s3cret", "n": 1}
    headers = {**OWN, "argsrepr": "({'password': 's3cret'},)", "kwargsrepr": "s3cret"}
    _, shown = adapted(body=json.dumps([[secret], secret, {}]).encode(), headers=headers)
    assert shown["argsrepr"] == '[{"password":"[redacted]","n":1}]'
    assert shown["kwargsrepr"] == '{"password":"[redacted]","n":1}'


def test_keys_of_ones_own_are_masked_too():
    raw = delivery(body=b'{"iban": "s3cret"}')
    queue(redaction=Redaction(["iban"])).adapt(raw)
    assert raw.properties["application_headers"]["argsrepr"] == '{"iban":"[redacted]"}'
