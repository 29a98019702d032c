"""Topics and patterns match by RabbitMQ's topic rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.model.topic import (
    MAX_TOPIC_BYTES,
    Subscriptions,
    matches,
    pattern_fault,
    topic_fault,
)


@pytest.mark.parametrize(
    ("pattern", "topic", "hit"),
    [
        ("order.created", "order.created", True),
        ("order.created", "order.createdx", False),
        ("order.created", "orderxcreated", False),
        ("order.*", "order.created", True),
        ("order.*", "order", False),
        ("order.*", "order.eu.created", False),
        ("order.*", "order.", True),
        ("order.#", "order", True),
        ("order.#", "order.eu.created", True),
        ("order.#", "orders", False),
        ("#", "anything.at.all", True),
        ("#.created", "created", True),
        ("#.created", "user.created", True),
        ("*.created", "created", False),
        ("a.#.b", "a.b", True),
        ("a.#.b", "a.x.y.b", True),
        ("#.*", "a", True),
        ("*.#", "", True),
        ("a..b", "a..b", True),
        ("*", "line\nbreak", True),
        ("a+b", "aab", False),
    ],
)
def test_a_pattern_matches_whole_words(pattern, topic, hit):
    assert matches(pattern, topic) is hit


def reference(pattern: list[str], topic: list[str]) -> bool:
    """RabbitMQ's rules, word by word."""
    if not pattern:
        return not topic
    if pattern[0] == "#":
        return reference(pattern[1:], topic) or (bool(topic) and reference(pattern, topic[1:]))
    return bool(topic) and pattern[0] in ("*", topic[0]) and reference(pattern[1:], topic[1:])


@given(
    st.lists(st.sampled_from(["a", "b", "", "*", "#"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=6),
)
def test_matching_agrees_with_the_rules_word_by_word(pattern, topic):
    assert matches(".".join(pattern), ".".join(topic)) is reference(pattern, topic)


def test_many_wildcards_do_not_take_long():
    """A row of '#' is one '#'; the test would time out otherwise."""
    assert not matches(".".join(["#"] * 40) + ".end", ".".join(["a"] * 120))


@pytest.mark.parametrize("topic", ["order.created", "Ünïcode", "a" * MAX_TOPIC_BYTES])
def test_a_topic_may_use_255_bytes(topic):
    assert topic_fault(topic) is None


@pytest.mark.parametrize("topic", ["", "a" * (MAX_TOPIC_BYTES + 1), "ü" * 128, "\ud800"])
def test_what_amqp_can_not_carry_is_no_topic(topic):
    assert topic_fault(topic)


@pytest.mark.parametrize("pattern", ["order.*", "#", "*", "a.#.b", "plain"])
def test_wildcards_stand_for_whole_words(pattern):
    assert pattern_fault(pattern) is None


@pytest.mark.parametrize("pattern", ["order*", "or#der.x", "**", "a.##", ""])
def test_a_wildcard_inside_a_word_would_never_match_and_is_refused(pattern):
    assert pattern_fault(pattern)


def test_a_look_up_of_subscriptions_is_the_same_as_trying_every_pattern():
    patterns = ["a.b", "a.*", "a.#", "#", "*", "a.#.c", "order.created", "b", "a*", "*.b.#"]
    hearing = Subscriptions([(pattern, pattern) for pattern in patterns])
    for topic in ("a.b", "a", "b", "a.b.c", "order.created", "a.*", "a*", "x.y.z", "#", "a.c"):
        assert hearing.of(topic) == {p for p in patterns if matches(p, topic)}
