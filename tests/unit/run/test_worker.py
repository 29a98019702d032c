"""Which queues a worker serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from motia_celery.errors import SettingsError
from motia_celery.run import worker
from motia_celery.settings import load_settings

API = 'config = {"type": "api", "name": "Home", "path": "/", "method": "GET"}\n'
EVENT = 'config = {"type": "event", "name": "Hear", "subscribes": ["told"]}\n'
HANDLER = "\n\nasync def handler(given, context):\n    pass\n"
REDIS = {"broker_url": None, "redis_url": "redis://localhost:1"}
RABBITMQ = {"broker_url": "amqp://localhost:1", "redis_url": "redis://localhost:1"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that gives the queues that a worker of such files would serve."""
    found: list[str] = []
    monkeypatch.setattr(worker, "celery_of", lambda app: None)
    monkeypatch.setattr(
        worker, "run_worker", lambda app, settings, queues, name: found.extend(queues)
    )

    def queues_of(*files: str, broker: dict[str, str | None] = REDIS, **chosen: Any) -> list[str]:
        (tmp_path / "steps").mkdir()
        for number, text in enumerate(files):
            (tmp_path / "steps" / f"{number}_step.py").write_text(text + HANDLER)
        worker.work(load_settings(tmp_path, **broker), **chosen)
        return found

    return queues_of


def test_it_serves_the_queue_of_each_step_that_has_one(served: Any) -> None:
    assert served(API, EVENT) == ["motia.q.Hear"]


def test_on_rabbitmq_it_serves_delayed_emits_too(served: Any) -> None:
    assert served(API, EVENT, broker=RABBITMQ) == ["motia.q.Hear", "motia.relay"]


@pytest.mark.parametrize("broker", [REDIS, RABBITMQ])
def test_an_app_without_queues_has_a_worker_that_runs(
    served: Any, broker: dict[str, str | None]
) -> None:
    """The Procfile starts one for every app; it sends what is delayed, or in the outbox."""
    assert len(served(API, broker=broker)) == 1


@pytest.mark.parametrize("chosen", [{"steps": ["Home"]}, {"exclude": ["Hear"]}])
def test_a_choice_that_leaves_nothing_is_an_error(served: Any, chosen: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="left to serve"):
        served(API, EVENT, **chosen)
