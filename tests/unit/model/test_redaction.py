"""Redaction: no value under a secret key is left, at any depth, and nothing else is touched."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.model.redaction import DEFAULT, DEFAULT_KEYS, MASK, Redaction

SECRET = "s3cr3t-value"

CASES = (str.upper, str.title, str.lower, lambda key: key.replace("_", "-"), lambda k: k)
secret_keys = st.builds(
    lambda key, case, before, after: before + case(key) + after,
    st.sampled_from(DEFAULT_KEYS),
    st.sampled_from(CASES),
    st.sampled_from(["", "my_", "X-", "client "]),
    st.sampled_from(["", "_hash", "-value"]),
)
plain_keys = st.text(max_size=6)
leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_keys, inner, max_size=3),
    max_leaves=8,
)
secrets = st.sampled_from([SECRET, [SECRET], {"deep": [SECRET]}, f'"{SECRET}"'])
hidden = st.dictionaries(secret_keys, secrets, min_size=1, max_size=2)
holders = st.recursive(
    hidden,
    lambda inner: (
        st.lists(inner | values, max_size=3)
        | st.dictionaries(plain_keys, inner, max_size=3)
        | inner.map(json.dumps)
    ),
    max_leaves=4,
)


@given(holders)
def test_no_secret_is_left_at_any_depth(value):
    """Nor in text that is JSON itself."""
    assert SECRET not in repr(DEFAULT.value(value))
    text = orjson.dumps(value)
    assert SECRET not in DEFAULT.json(text).decode()


@given(values)
def test_what_holds_no_secret_key_stays_byte_for_byte(value):
    text = orjson.dumps(value)
    if not DEFAULT.may_hide(text):
        assert DEFAULT.json(text) == text
    assert orjson.loads(DEFAULT.json(text)) == DEFAULT.value(value)


@given(secret_keys)
def test_the_quick_look_never_misses_a_key(key):
    assert DEFAULT.hides(key)
    assert DEFAULT.may_hide(orjson.dumps({key: 1}))


@pytest.mark.parametrize(
    "key",
    [
        *("password", "userPassword", "X-Api-Key", "apikey", "accesstoken", "HTTPAuthorization"),
        *("set-cookie", "passwordHash", "stripe.secret", "refresh_token", "sessionId"),
    ],
)
def test_keys_that_are_secret(key):
    assert DEFAULT.hides(key)


@pytest.mark.parametrize(
    "key", ["max_tokens", "tokenizer", "key", "passenger", "author", "order", "", "secretary"]
)
def test_keys_that_are_not(key):
    assert not DEFAULT.hides(key)


def test_that_a_secret_is_missing_is_no_secret():
    """None and booleans tell what went wrong, and no secret."""
    value = {"password": None, "token": False}
    assert DEFAULT.value(value) == value


def test_a_list_of_ones_own_adds_to_the_default_one_and_takes_from_it():
    redaction = Redaction(["iban", " -token "])
    assert redaction.hides("customer_iban")
    assert redaction.hides("password")
    assert not redaction.hides("token")


def test_text_that_only_looks_like_json_is_kept():
    for text in ("[auth] token refreshed", "{token} of a template", "[12:00] password changed"):
        assert DEFAULT.value(text) == text


def test_json_that_was_cut_is_masked_whole():
    """It can not be read, so no part of it can be trusted."""
    assert DEFAULT.value({"body": '{"password": "s3cr3t-val'}) == {"body": MASK}
    assert DEFAULT.value("{'password': 's3cret'}") == MASK
    assert DEFAULT.value('[1, {"password": "s3cret') == MASK


def test_an_escaped_key_inside_of_text_is_found():
    text = orjson.dumps({"body": '{"p\\u0061ssword": "s3cr3t-value"}'})
    assert SECRET not in DEFAULT.json(text).decode()


def test_json_with_half_a_surrogate_pair_is_read_too():
    assert DEFAULT.json(b'{"a": "\\ud800", "token": "x"}') == (
        b'{"a": "\\ud800", "token": "[redacted]"}'
    )
