"""Clients are built from the settings alone; no server is needed to see how."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from motia_celery.errors import SettingsError, StoreUnavailableError
from motia_celery.settings import load_settings
from motia_celery.stores.redis import address, connect, connect_sync, server_facts


def options(**settings: Any) -> dict[str, Any]:
    """What a client's connections are opened with."""
    client = connect_sync(load_settings(environ={}, **settings))
    return dict(client.connection_pool.connection_kwargs)


def test_connections_are_capped_by_the_settings() -> None:
    settings = load_settings(environ={}, redis_url="redis://h/1", redis_max_connections=3)
    assert connect_sync(settings).connection_pool.max_connections == 3
    assert connect(settings).connection_pool.max_connections == 3


def test_tls_is_verified_unless_asked_otherwise(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    verified = options(redis_url="rediss://h", tls_ca_file=authority)
    assert verified["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    assert verified["ssl_ca_certs"] == str(authority)
    assert options(redis_url="rediss://h", redis_tls_verify=False)["ssl_cert_reqs"] == ssl.CERT_NONE
    assert "ssl_cert_reqs" not in options(redis_url="redis://h")


@pytest.mark.parametrize("url", ["http://h", "redis://h:port", "redis://h/db?socket_timeout=x"])
def test_a_bad_url_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="redis_url"):
        connect_sync(load_settings(environ={}, redis_url=url))


def test_an_address_has_no_password() -> None:
    client = connect_sync(load_settings(environ={}, redis_url="rediss://me:secret@h:7/2"))
    assert address(client) == "rediss://h:7/2"


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    settings = load_settings(environ={}, redis_url="redis://:secret@127.0.0.1:1/0")
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:1/0") as caught:
        server_facts(settings)
    assert "secret" not in str(caught.value)
