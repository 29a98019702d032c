"""A URL that no server can have ends each process at once, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from integration.apps import Project


@pytest.mark.parametrize("command", ["web", "worker", "beat"])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("redis_url", "nonsense"),
        ("redis_url", "redis://user:secret@host:99999999/0"),
        ("broker_url", "amqp://user:secret@host:nonsense/"),
    ],
)
def test_a_url_that_can_not_be_used_is_one_clear_error(
    make_project: Callable[..., Project], command: str, name: str, url: str
) -> None:
    project = make_project(None)
    project.step("hears", ["x"])
    process = project.command(command, **{name: url})
    assert process.wait(60) == 1
    assert f"✗ {name} (MOTIA_{name.upper()}): " in process.words
    assert "→ Write " in process.words
    assert "Traceback" not in process.output
    assert "secret" not in process.output
