"""Rules of sessions and of failed attempts."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from motia_celery.run import session
from motia_celery.run.attempts import ATTEMPTS, WINDOW_SECONDS, Attempts, is_loopback, network_of
from motia_celery.run.session import Sessions, same_secret

TOKEN = "t" * 40


class Clock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


def test_a_session_holds_until_it_is_over() -> None:
    clock = Clock()
    sessions = Sessions(TOKEN, 60, clock)
    value = sessions.issue()
    clock.time += 59
    assert sessions.expiry(value) == 1_000_060
    clock.time += 1
    assert sessions.expiry(value) is None


def test_each_session_has_a_value_of_its_own_and_none_tells_the_token() -> None:
    sessions = Sessions(TOKEN, 60)
    assert sessions.issue() != sessions.issue()
    assert TOKEN not in sessions.issue()


def test_a_new_token_ends_every_session() -> None:
    assert Sessions("u" * 40, 60).expiry(Sessions(TOKEN, 60).issue()) is None


def test_no_part_of_a_session_can_be_changed() -> None:
    sessions = Sessions(TOKEN, 60)
    version, expires, nonce, signature = sessions.issue().split(".")
    later = str(int(expires) + 1)
    other = ("0" if signature[0] != "0" else "1") + signature[1:]
    for parts in (
        (version, later, nonce, signature),
        (version, expires, nonce[::-1], signature),
        (version, expires, nonce, other),
        (version, expires, nonce, signature.upper()),
        (version, expires, nonce, ""),
        ("2", expires, nonce, signature),
        (version, "٣" + expires[1:], nonce, signature),
        (version, expires, nonce),
        ("",),
    ):
        assert sessions.expiry(".".join(parts)) is None


def test_secrets_are_compared_as_digests_of_one_length_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[Any, Any]] = []

    def spy(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    class Spied:
        compare_digest = staticmethod(spy)

    monkeypatch.setattr(session, "hmac", Spied)
    assert same_secret(TOKEN, TOKEN)
    for wrong in ("", "t", TOKEN[:-1], TOKEN + "t", "ü", "\udc80"):
        assert not same_secret(wrong, TOKEN)
    assert len(compared) == 7
    assert {len(value) for pair in compared for value in pair} == {32}


def test_who_fails_too_often_waits_for_the_end_of_the_window() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(ATTEMPTS):
        assert attempts.wait_seconds("10.0.0.1") == 0
        attempts.fail("10.0.0.1")
    assert attempts.wait_seconds("10.0.0.1") == WINDOW_SECONDS
    assert attempts.wait_seconds("10.0.0.2") == 0
    clock.time += WINDOW_SECONDS
    assert attempts.wait_seconds("10.0.0.1") == 0


def test_what_failed_long_ago_does_not_count() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(ATTEMPTS - 1):
        attempts.fail("a")
    clock.time += WINDOW_SECONDS + 1
    attempts.fail("a")
    assert attempts.wait_seconds("a") == 0


def test_clients_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motia_celery.run.attempts._CLIENTS", 3)
    attempts = Attempts()
    for number in range(10):
        attempts.fail(f"10.0.0.{number}")
    assert len(attempts._failed) == 3


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_host_counts_with_all_its_addresses(client: str, network: str) -> None:
    assert network_of(client) == network


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::2", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_loopback_is_known_by_its_addresses(client: str, expected: bool) -> None:
    assert is_loopback(client) is expected
