"""The report of ``motia-celery doctor``, with no server at all."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from motia_celery.broker.server import BrokerFacts
from motia_celery.model.step import EventTrigger, Step
from motia_celery.run import doctor
from motia_celery.run.doctor import Report, Setting, connections, examine
from motia_celery.settings import Settings, load_settings
from motia_celery.stores.redis import RedisFacts

if TYPE_CHECKING:
    from motia_celery.plan import Plan

SECRET = "sesame"
#: One that nobody listens on.
AWAY = "127.0.0.1:1"


def report_of(root: Path | None = None, **environ: str) -> Report:
    return examine(load_settings(root or Path("/nonexistent"), environ))


def setting(report: Report, name: str) -> Setting:
    return next(setting for setting in report.settings if setting.name == name)


def examined(monkeypatch: pytest.MonkeyPatch, broker: BrokerFacts, redis: RedisFacts) -> Report:
    """The report where the servers answer so."""
    monkeypatch.setattr(doctor, "broker_facts", lambda _settings: broker)
    monkeypatch.setattr(doctor, "server_facts", lambda _settings: redis)
    return report_of()


def rabbitmq() -> BrokerFacts:
    return BrokerFacts(product="RabbitMQ", version="4.1.0", features={"quorum queues": True})


def redis_facts(policy: str | None = "noeviction") -> RedisFacts:
    return RedisFacts(
        software="redis",
        version="7.0.0",
        maxmemory_policy=policy,
        connected_clients=3,
        max_clients=20,
    )


def test_with_nothing_set_both_servers_are_problems_with_a_fix() -> None:
    report = report_of()
    assert (report.broker, report.redis) == (None, None)
    assert [problem.what for problem in report.problems] == [
        "no broker is set.",
        "no Redis is set; state, streams and schedules live there.",
    ]
    assert all("motia-celery dev" in problem.fix for problem in report.problems)


@pytest.mark.parametrize(
    ("amqp_url", "redis_url"),
    [
        (f"amqp://user:{SECRET}@{AWAY}/vhost", f"redis://:{SECRET}@{AWAY}/0"),
        (f"amqp://user:{SECRET}%2F%40%3A@{AWAY}/%2F", f"redis://me:{SECRET}%23%25@{AWAY}/0"),
        (f"amqp://user:p@ss:{SECRET}@{AWAY}/", f"redis://:{SECRET}@@{AWAY}/0"),
        (f"amqp://user:a/{SECRET}@{AWAY}/", f"redis://:{SECRET}/b@{AWAY}/0"),
        (f"amqp://user:a#{SECRET}@{AWAY}/", f"redis://:a?{SECRET}@{AWAY}/0"),
        (f"amqp://user:1/{SECRET}@{AWAY}/", f"redis://:1/{SECRET}@{AWAY}/0"),
        (f"amqp://{SECRET}@{AWAY}/", f"redis://{SECRET}@{AWAY}/0"),
        (f"amqp://u:p@{AWAY}/v?password={SECRET}", f"redis://{AWAY}/0?password={SECRET}"),
        (f"amqp://u:p@{AWAY}/v?{SECRET}=1", f"redis://{AWAY}/0?{SECRET}=1"),
    ],
)
def test_no_secret_is_shown_anywhere(amqp_url: str, redis_url: str) -> None:
    """Not in a setting's row, not in a problem: a library's words may quote what they got."""
    for environ in ({"AMQP_URL": amqp_url, "REDIS_URL": redis_url}, {"REDIS_URL": redis_url}):
        report = report_of(**environ)
        assert len(report.problems) == 2
        assert SECRET not in json.dumps(report.as_dict()) + repr(report)


def test_a_server_that_is_away_is_a_problem_that_names_it_and_its_setting() -> None:
    report = report_of(AMQP_URL=f"amqp://u:p@{AWAY}/v", REDIS_URL=f"redis://{AWAY}/0")
    broker, redis = report.problems
    assert broker.file == f"amqp://u:***@{AWAY}/v"
    assert "broker_url (AMQP_URL)" in broker.fix
    assert redis.file == f"redis://{AWAY}/0"
    assert "Connection refused" in broker.what and "Connection refused" in redis.what


def test_where_redis_is_the_broker_the_fix_names_its_setting() -> None:
    assert "redis_url (REDIS_URL)" in report_of(REDIS_URL=f"redis://{AWAY}/0").problems[0].fix


@pytest.mark.parametrize("url", ["redis://h/word", "redis://h:port/0", "redis://h/0?nonsense=1"])
def test_a_url_that_can_not_be_understood_is_a_problem_of_its_setting(url: str) -> None:
    for problem in report_of(REDIS_URL=url).problems:
        assert problem.file == "redis_url (REDIS_URL)"
        assert "redis://user:password@host" in problem.fix


def test_each_setting_tells_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "default.toml").write_text('prefix = "shop"\nport = 1\n')
    report = report_of(tmp_path, PORT="8000", MOTIA_CONCURRENCY="7", MOTIA_ENV="test")
    origins = {name: setting(report, name).origin for name in ("prefix", "port", "concurrency")}
    assert origins == {
        "prefix": "config/default.toml",
        "port": "PORT",
        "concurrency": "MOTIA_CONCURRENCY",
    }
    assert setting(report, "environment").origin == "MOTIA_ENV"
    assert setting(report, "log_level").origin == "default"
    assert {row.name for row in report.settings} == set(Settings.model_fields)


def test_values_are_shown_as_they_would_be_written() -> None:
    report = report_of(MOTIA_CORS_ORIGINS="https://a, https://b")
    assert setting(report, "cors_origins").value == "https://a, https://b"
    assert setting(report, "broker_url").value == ""


@pytest.mark.parametrize("policy", ["noeviction", None])
def test_servers_that_are_fit_are_no_problem(
    monkeypatch: pytest.MonkeyPatch, policy: str | None
) -> None:
    """A hosted Redis may keep its policy to itself."""
    assert examined(monkeypatch, rabbitmq(), redis_facts(policy)).problems == ()


def test_a_policy_that_evicts_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = examined(monkeypatch, rabbitmq(), redis_facts("allkeys-lru")).problems
    assert "allkeys-lru" in problem.what
    assert "noeviction" in problem.fix


def test_a_broker_too_old_to_keep_messages_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    old = BrokerFacts(
        product="RabbitMQ",
        version="3.9.1",
        features={"quorum queues": True, "at-least-once dead letters": False},
    )
    (problem,) = examined(monkeypatch, old, redis_facts()).problems
    assert problem.what == "RabbitMQ 3.9.1 has no at-least-once dead letters."


def test_a_broker_that_is_no_rabbitmq_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    other = BrokerFacts(product="LavinMQ", version="2.1.0", features={})
    (problem,) = examined(monkeypatch, other, redis_facts()).problems
    assert problem.severity == "warning"
    assert "LavinMQ" in problem.what


def test_the_report_is_json_with_these_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    report = examined(monkeypatch, rabbitmq(), redis_facts("volatile-lru"))
    fields: dict[str, Any] = json.loads(json.dumps(report.as_dict()))
    assert fields["settings"][0] == {
        "name": "environment",
        "value": "development",
        "origin": "default",
    }
    assert fields["broker"] == {
        "product": "RabbitMQ",
        "version": "4.1.0",
        "features": {"quorum queues": True},
    }
    assert fields["redis"] == {
        "software": "redis",
        "version": "7.0.0",
        "maxmemory_policy": "volatile-lru",
        "connected_clients": 3,
        "max_clients": 20,
    }
    assert fields["connections"][-1].keys() == {"process", "rabbitmq", "redis"}
    assert fields["problems"][0].keys() == {"severity", "file", "line", "what", "fix"}


def test_the_cap_of_the_settings_is_in_the_figures() -> None:
    environ = {"AMQP_URL": "amqp://h/", "MOTIA_REDIS_MAX_CONNECTIONS": "4"}
    counted = {c.process: c for c in connections(load_settings(Path("/nonexistent"), environ))}
    assert counted["worker"].redis == 4 + 6
    assert counted["beat"].redis == 3


@pytest.mark.parametrize(("has_limits", "warned"), [(False, ["slow"]), (True, [])])
def test_an_old_rabbitmq_is_told_of_with_the_steps_that_are_too_long_for_it(
    monkeypatch: pytest.MonkeyPatch, has_limits: bool, warned: list[str]
) -> None:
    features = {"quorum queues": True, "consumer timeout per queue": has_limits}
    broker = BrokerFacts(product="RabbitMQ", version="3.10.8", features=features)
    monkeypatch.setattr(doctor, "broker_facts", lambda _settings: broker)
    monkeypatch.setattr(doctor, "server_facts", lambda _settings: redis_facts())
    hears = EventTrigger(topics=("x",))
    steps = [
        Step(name="quick", file="q_step.py", language="python", triggers=(hears,)),
        Step(
            name="slow",
            file="s_step.py",
            language="python",
            triggers=(hears,),
            timeout_seconds=7200,
        ),
    ]
    plan = cast("Plan", SimpleNamespace(steps=steps))
    report = examine(load_settings(Path("/nonexistent"), {}), lambda: plan)
    assert [p.file for p in report.problems] == [f"{name[0]}_step.py" for name in warned]
    for problem in report.problems:
        assert "120 minutes" in problem.what
        assert "consumer_timeout" in problem.fix
        assert problem.severity == "warning"
