"""Rules of the metrics page: what it tells when a server is away."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from unit.run.web_apps import app_of, ask

from motia_celery.broker.depths import Depth, Depths
from motia_celery.errors import BrokerUnavailableError, StoreUnavailableError
from motia_celery.model.step import EventTrigger, Step
from motia_celery.plan import compile_plan
from motia_celery.run.metrics import MetricsPage
from motia_celery.stores.metrics import Totals


def page(store: Any, queues: Any) -> str:
    trigger = EventTrigger(topics=("a",))
    step = Step(name="s", file="steps/a_step.py", language="python", triggers=(trigger,))
    plan = compile_plan(prefix="motia", timezone="UTC", steps=[step])
    return MetricsPage(plan, lambda: (store, queues)).response().body.decode()


class Away:
    def read(self) -> Any:
        raise StoreUnavailableError("away.")


class Here:
    def read(self) -> Any:
        counts = {("motia_celery_runs_total", step, "event", "success"): 1 for step in ("s", "old")}
        return Totals(counts=counts)


def values(text: str) -> dict[Any, float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class NoBroker:
    def read(self) -> Any:
        raise BrokerUnavailableError("away.")


class OneEmptyQueue:
    def read(self) -> Depths:
        steps = {"s": Depth(ready=0, consumers=2, oldest_seconds=0.0)}
        return Depths(steps=steps, dead_letters=Depth(ready=4, consumers=0))


def test_with_both_servers_away_the_page_says_so() -> None:
    for queues in (NoBroker(), Away()):
        assert values(page(Away(), queues)) == {
            ("motia_celery_up", "broker"): 0,
            ("motia_celery_up", "store"): 0,
        }


def test_without_redis_the_queues_are_told_and_without_the_broker_the_counts() -> None:
    told = values(page(Away(), OneEmptyQueue()))
    assert told["motia_celery_up", "store"] == 0
    assert told["motia_celery_queue_consumers", "s"] == 2
    assert told["motia_celery_queue_oldest_seconds", "s"] == 0
    assert told["motia_celery_dead_letters",] == 4
    told = values(page(Here(), NoBroker()))
    assert told["motia_celery_runs_total", "s", "event", "success"] == 1


def test_a_step_that_is_gone_is_not_told() -> None:
    assert not [key for key in values(page(Here(), OneEmptyQueue())) if key[1:2] == ("old",)]


async def test_metrics_are_guarded() -> None:
    app = app_of(environment="production", admin_token="t" * 32)
    assert (await ask(app, "GET", "/metrics")).status_code == 401
