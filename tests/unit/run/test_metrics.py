"""Rules of the metrics page: what it tells when a server is away, and how old the oldest is."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from unit.run.web_apps import app_of, ask

from motia_celery.broker.depths import Depth, Depths
from motia_celery.errors import BrokerUnavailableError, StoreUnavailableError
from motia_celery.model.step import EventTrigger, Step
from motia_celery.plan import compile_plan
from motia_celery.run import metrics
from motia_celery.run.metrics import MetricsPage, Stand, oldest_seconds
from motia_celery.settings import Settings
from motia_celery.stores.metrics import Totals

NOW = 1_000_000


def stand(ready: int, started: int | None = None, empty: int | None = None) -> Stand:
    totals = Totals(
        started={"s": (started, started + 5)} if started is not None else {},
        empty={"s": empty} if empty is not None else {},
    )
    return Stand(totals, Depths(steps={"s": Depth(ready=ready)}, dead_letters=Depth(ready=0)))


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (stand(0, started=1), 0),
        (stand(3, started=NOW - 4000), 4),
        (stand(3, started=NOW - 90_000, empty=NOW - 2000), 2),
        (stand(3, started=NOW - 2000, empty=NOW - 90_000), 2),
        (stand(3, empty=NOW - 7000), 7),
        (stand(3, started=NOW + 7000), 0),
        (stand(3), None),
        (Stand(None, stand(3).depths), None),
        (Stand(stand(3, started=1).totals, None), None),
    ],
)
def test_what_waits_came_after_what_was_taken_and_after_the_queue_was_empty(
    now: Stand, seconds: float | None
) -> None:
    assert oldest_seconds("s", now, NOW) == seconds


def page(settings: Settings, store: Any) -> str:
    trigger = EventTrigger(topics=("a",))
    step = Step(name="s", file="steps/a_step.py", language="python", triggers=(trigger,))
    plan = compile_plan(prefix="motia", timezone="UTC", steps=[step])
    return MetricsPage(settings, plan, lambda: (store, store)).response().body.decode()


class Away:
    def read(self) -> Any:
        raise StoreUnavailableError("away.")


class Here:
    def __init__(self) -> None:
        self.empty: list[str] = []

    def read(self) -> Any:
        counts = {("motia_celery_runs_total", step, "event", "success"): 1 for step in ("s", "old")}
        return Totals(counts=counts)

    def saw_empty(self, steps: Any) -> None:
        self.empty.extend(steps)


def values(text: str) -> dict[Any, float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def no_broker(*_: Any) -> Any:
    raise BrokerUnavailableError("away.")


def one_empty_queue(*_: Any) -> Depths:
    return Depths(
        steps={"s": Depth(ready=0, consumers=2)}, dead_letters=Depth(ready=4, consumers=0)
    )


def test_with_both_servers_away_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "read_depths", no_broker)
    assert values(page(Settings(), Away())) == {
        ("motia_celery_up", "broker"): 0,
        ("motia_celery_up", "store"): 0,
    }


def test_without_redis_the_queues_are_told_and_without_the_broker_the_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "read_depths", one_empty_queue)
    told = values(page(Settings(), Away()))
    assert told["motia_celery_up", "store"] == 0
    assert told["motia_celery_queue_consumers", "s"] == 2
    assert told["motia_celery_dead_letters",] == 4
    monkeypatch.setattr(metrics, "read_depths", no_broker)
    told = values(page(Settings(), Here()))
    assert told["motia_celery_runs_total", "s", "event", "success"] == 1


def test_an_empty_queue_is_remembered_and_a_step_that_is_gone_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "read_depths", one_empty_queue)
    store = Here()
    told = values(page(Settings(), store))
    assert store.empty == ["s"]
    assert not [key for key in told if "old" in key]


async def test_metrics_are_guarded() -> None:
    app = app_of(environment="production", admin_token="t" * 32)
    assert (await ask(app, "GET", "/metrics")).status_code == 401
