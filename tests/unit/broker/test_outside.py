"""Emitting from code that is no Step."""

from __future__ import annotations

import os

import pytest
from opentelemetry import trace

from motia_celery.broker import outside
from motia_celery.errors import SettingsError


def test_a_current_span_is_the_events_parent():
    place = trace.SpanContext(
        0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, False, trace.TraceFlags(1)
    )
    with trace.use_span(trace.NonRecordingSpan(place)):
        found = outside._current_trace()
    assert (found.trace_id, found.span_id) == (
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
    )
    assert outside._current_trace().trace_id != found.trace_id


def test_the_variables_and_files_of_the_folder_count(tmp_path, monkeypatch):
    """As for the Step app; a broker that is named needs none of them, and reads no file."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "default.toml").write_text('prefix = "shop"')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMQP_URL", "amqp://from-environment/")
    found = outside._settings(None, None)
    assert (found.broker, found.prefix) == ("amqp://from-environment/", "shop")
    (tmp_path / "config" / "default.toml").write_text("of = 'another program'")
    named = outside._settings("amqp://named/", None)
    assert (named.broker, named.prefix) == ("amqp://named/", "motia")
    with pytest.raises(SettingsError):
        outside._settings(None, None)


def test_a_forked_process_has_a_publisher_of_its_own(monkeypatch):
    one = outside._publisher("amqp://named/", "p")
    assert outside._publisher("amqp://named/", "p") is one
    assert outside._publisher("amqp://named/", "q") is not one
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert outside._publisher("amqp://named/", "p") is not one
