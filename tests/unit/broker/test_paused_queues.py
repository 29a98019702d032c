"""Queues that a worker leaves alone while their Steps are paused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from motia_celery.broker import control
from motia_celery.broker.control import PausedQueues
from motia_celery.model.control import Controls


class Hub:
    """Calls what waits in any order, as kombu's does."""

    def __init__(self):
        self.waiting = []

    def call_soon(self, callback, *arguments):
        self.waiting.append((callback, arguments))

    def turn(self):
        waiting, self.waiting = self.waiting, []
        for callback, arguments in reversed(waiting):
            callback(*arguments)


class Consumer:
    def __init__(self, queues):
        self.queues = queues

    def cancel_task_queue(self, name):
        self.queues.consume_from.pop(name)

    def add_task_queue(self, name):
        self.queues.consume_from[name] = self.queues[name]


class Queues(dict):
    def __init__(self, *queues):
        super().__init__({queue.name: queue for queue in queues})
        self.consume_from = dict(self)


@pytest.fixture
def hub(monkeypatch):
    hub = Hub()
    monkeypatch.setattr(control, "get_event_loop", lambda: hub)
    monkeypatch.setattr(control, "StepQueue", SimpleNamespace)
    return hub


@pytest.mark.parametrize(
    ("states", "consumed"), [((set(), {"a"}), ["b"]), (({"a"}, set()), ["a", "b"])]
)
def test_what_was_asked_last_holds_in_whatever_order_it_is_done(hub, states, consumed):
    queues = Queues(*(SimpleNamespace(name=name, task=f"step:{name}") for name in "ab"))
    paused = PausedQueues(SimpleNamespace(amqp=SimpleNamespace(queues=queues)))
    paused.consumer = Consumer(queues)
    for steps in states:
        paused.apply(Controls(paused=frozenset(steps)))
    hub.turn()
    assert sorted(queues.consume_from) == consumed
