"""Settings: files first, then what platforms set, then MOTIA_<NAME>, then the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from motia_celery.errors import SettingsError
from motia_celery.run.doctor import _settings as shown_settings
from motia_celery.settings import Settings, load_settings, masked_url


@pytest.fixture
def load(tmp_path):
    def load(environ=None, files=None, **overrides):
        (tmp_path / "config").mkdir(exist_ok=True)
        for name, text in (files or {}).items():
            (tmp_path / "config" / f"{name}.toml").write_text(text)
        return load_settings(tmp_path, environ=environ or {}, **overrides)

    return load


def test_each_source_wins_over_those_before_it(load):
    files = {"default": "port = 1", "production": "port = 2"}
    environ, given = {}, {}
    seen = []
    for add, values in (
        (environ, {}),
        (environ, {"MOTIA_ENV": "production"}),
        (environ, {"PORT": "3"}),
        (environ, {"MOTIA_PORT": "4"}),
        (given, {"port": 5}),
    ):
        add.update(values)
        settings = load(environ, files, **given)
        seen.append((settings.port, settings.origin("port")))
    assert seen == [
        (1, "config/default.toml"),
        (2, "config/production.toml"),
        (3, "PORT"),
        (4, "MOTIA_PORT"),
        (5, "command line"),
    ]


def test_what_nobody_sets_is_a_default(load):
    settings = load()
    assert settings.origin("port") == "default"
    assert (settings.port, settings.prefix, settings.environment) == (3000, "motia", "development")


def test_an_empty_variable_or_an_option_that_is_not_given_sets_nothing(load):
    settings = load({"PORT": "", "REDIS_URL": ""}, port=None)
    assert (settings.port, settings.redis_url) == (3000, None)


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("PORT", "8080", "port", 8080),
        ("WEB_CONCURRENCY", "3", "web_concurrency", 3),
        ("LOG_LEVEL", "warn", "log_level", "warning"),
        ("LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("FORWARDED_ALLOW_IPS", "*", "forwarded_allow_ips", "*"),
        ("MOTIA_POOL", "prefork", "pool", "prefork"),
        ("MOTIA_STRICT_EMITS", "true", "strict_emits", True),
        (
            "MOTIA_CORS_ORIGINS",
            "https://a.b, https://c.d,",
            "cors_origins",
            ("https://a.b", "https://c.d"),
        ),
        ("MOTIA_OWN_HOSTS", "a.b", "own_hosts", ("a.b",)),
        ("MOTIA_PREFETCH", "5", "prefetch_count", 5),
        ("MOTIA_CONCURRENCY", "7", "prefetch_count", 7),
    ],
)
def test_variables_are_read(load, variable, value, field, expected):
    assert getattr(load({variable: value}), field) == expected


@pytest.mark.parametrize("name", ["AMQP_URL", "CLOUDAMQP_URL", "RABBITMQ_URL", "MOTIA_BROKER_URL"])
@pytest.mark.parametrize("scheme", ["amqp", "amqps", "pyamqp"])
def test_rabbitmq_is_the_broker_where_its_url_is_set(load, name, scheme):
    settings = load({name: f"{scheme}://host", "REDIS_URL": "redis://r"})
    assert (settings.broker, settings.uses_rabbitmq) == (f"{scheme}://host", True)
    assert settings.origin("broker_url") == name
    assert settings.redis == "redis://r"


def test_of_several_broker_urls_the_plain_name_wins(load):
    environ = {"RABBITMQ_URL": "amqp://c", "CLOUDAMQP_URL": "amqp://b", "AMQP_URL": "amqp://a"}
    assert load(environ).broker == "amqp://a"


@pytest.mark.parametrize("url", ["redis://r", "rediss://r:6380/1"])
def test_redis_is_the_broker_where_no_other_is_set(load, url):
    settings = load({"REDIS_URL": url})
    assert (settings.broker, settings.redis, settings.uses_rabbitmq) == (url, url, False)


def test_heroku_redis_over_tls_wins(load):
    assert load({"REDIS_URL": "redis://a", "REDIS_TLS_URL": "rediss://b"}).redis == "rediss://b"


def test_motias_own_redis_variables_make_a_url(load):
    environ = {
        "MOTIA_REDIS_HOST": "r.example",
        "MOTIA_REDIS_PORT": "6380",
        "MOTIA_REDIS_USERNAME": "me",
        "MOTIA_REDIS_PASSWORD": "p@ss/word",
        "MOTIA_REDIS_DB": "2",
    }
    settings = load(environ, {"default": 'redis_url = "redis://file"'})
    assert settings.redis == "redis://me:p%40ss%2Fword@r.example:6380/2"
    assert settings.origin("redis_url") == "MOTIA_REDIS_HOST"
    assert load({"MOTIA_REDIS_HOST": "r"}).redis == "redis://r:6379/0"
    assert load({**environ, "REDIS_URL": "redis://url"}).redis == "redis://url"


def test_without_a_server_the_error_says_what_to_set(load):
    settings = load()
    for name in ("broker", "redis"):
        with pytest.raises(SettingsError) as caught:
            getattr(settings, name)
        assert "REDIS_URL" in caught.value.fix
        assert "motia-celery dev" in caught.value.fix
    assert not settings.uses_rabbitmq


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"PORT": "many"}, "port (PORT)"),
        ({"PORT": "70000"}, "port (PORT)"),
        ({"LOG_LEVEL": "loud"}, "log_level (LOG_LEVEL)"),
        ({"MOTIA_PREFIX": "a:b"}, "prefix (MOTIA_PREFIX)"),
        ({"MOTIA_ENV": "staging"}, "environment (MOTIA_ENV)"),
        ({"MOTIA_POOL": "gevent"}, "pool (MOTIA_POOL)"),
        ({"WEB_CONCURRENCY": "0"}, "web_concurrency (WEB_CONCURRENCY)"),
        ({"CLOUDAMQP_URL": "https://api.example"}, "broker_url (CLOUDAMQP_URL)"),
    ],
)
def test_a_value_that_can_not_be_used_is_named_with_its_origin(load, environ, place):
    with pytest.raises(SettingsError) as caught:
        load(environ)
    assert caught.value.where == place
    assert caught.value.what
    assert caught.value.fix


def test_a_bad_value_in_a_file_is_named_with_the_file(load):
    with pytest.raises(SettingsError) as caught:
        load(files={"default": 'port = "x"'})
    assert caught.value.where == "port (config/default.toml)"


@pytest.mark.parametrize(
    ("text", "key", "fix"),
    [
        ("prot = 1", "prot", "'port'"),
        ("[web]\nport = 1", "web", "doctor"),
        ('REDIS_URL = "redis://x"', "REDIS_URL", "doctor"),
        ('root = "/"', "root", "doctor"),
    ],
)
def test_an_unknown_key_is_an_error_with_file_and_key(load, text, key, fix):
    with pytest.raises(SettingsError) as caught:
        load(files={"default": text})
    assert caught.value.where == "config/default.toml"
    assert f"'{key}'" in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_an_error_with_its_path(tmp_path, content):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/default.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"default\.toml: is not valid TOML"):
        load_settings(tmp_path, environ={})


def test_settings_are_frozen_and_show_no_secret(load):
    settings = load({"REDIS_URL": "redis://:geheim@r", "AMQP_URL": "amqp://u:geheim@h"})
    with pytest.raises(ValidationError):
        settings.port = 1
    assert "geheim" not in repr(settings)
    assert "geheim" not in str(settings.model_dump())


def test_the_process_environment_is_read_only_through_load(monkeypatch):
    monkeypatch.setenv("PORT", "1234")
    assert Settings().port == 3000


def test_the_projects_root_is_absolute(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}).project_root == tmp_path
    assert load_settings(environ={"MOTIA_ROOT": str(tmp_path)}).project_root == tmp_path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://host", "amqp://host"),
        ("amqp://host:5672/vhost", "amqp://host:5672/vhost"),
        ("amqp://me:secret@host:5672/v", "amqp://me:***@host:5672/v"),
        ("redis://:secret@host/0", "redis://:***@host/0"),
        ("redis://secret@host/0", "redis://***@host/0"),
        ("rediss://me:secret@[::1]:6380/0", "rediss://me:***@[::1]:6380/0"),
        ("redis://host/0?password=secret", "redis://host/0"),
        ("redis://me:sec/ret@host", "redis://me:***@host"),
        ("redis://me:12/secret@host", "redis://me:***@host"),
        ("redis://me:#secret?@host", "redis://me:***@host"),
        ("redis://me:se@cret@host", "redis://me:***@host"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("secret", "***"),
        ("", "***"),
    ],
)
def test_a_masked_url_shows_where_and_never_the_secret(url, shown):
    assert masked_url(url) == shown


@given(st.text(min_size=1), st.sampled_from(["", "me"]), st.sampled_from(["", "/v", "?a=1"]))
def test_no_password_gets_through_whatever_its_letters(password, user, tail):
    secret = f"~{password}~"
    assert "~" not in masked_url(f"amqp://{user}:{secret}@host:5672{tail}")


def test_prefork_takes_a_process_a_processor_unless_someone_chose() -> None:
    """A hundred slots suit coroutines, not processes."""
    assert load_settings(environ={}).slots == 100
    assert load_settings(environ={}, pool="prefork").slots is None
    assert load_settings(environ={}, pool="prefork", concurrency=2).slots == 2
    assert load_settings(environ={"MOTIA_CONCURRENCY": "3"}, pool="prefork").slots == 3


@pytest.mark.parametrize("token", ["short", "x" * 31, " " * 40, "a b" * 20, "ü" * 40, "x\n" * 40])
def test_a_weak_admin_token_is_refused_without_being_shown(load, token):
    with pytest.raises(SettingsError) as caught:
        load({"MOTIA_ADMIN_TOKEN": token})
    assert "32 characters" in str(caught.value)
    assert "MOTIA_ADMIN_TOKEN" in str(caught.value)
    assert token not in str(caught.value)


def test_an_admin_token_is_masked_whatever_it_looks_like(load):
    token = "scheme://" + "t" * 32
    settings = load({"MOTIA_ADMIN_TOKEN": token})
    shown = {setting.name: setting.value for setting in shown_settings(settings)}
    assert shown["admin_token"] == "***"
    assert load({"MOTIA_ADMIN_TOKEN": ""}).admin_token is None
    assert load({"MOTIA_ADMIN_HOSTS": "a, b"}).admin_hosts == ("a", "b")
