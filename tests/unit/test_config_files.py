"""The settings files of the project can be read in each environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from motia_celery.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("environment", ["development", "production", "test"])
def test_each_environment_has_valid_settings(environment: str) -> None:
    settings = load_settings(ROOT, environ={"MOTIA_ENV": environment})
    assert settings.origin("prefix") == "config/default.toml"


def test_the_default_file_shows_the_defaults() -> None:
    """So that reading it tells what happens without it."""
    assert load_settings(ROOT, environ={}).model_dump(exclude={"root"}) == (
        Settings().model_dump(exclude={"root"})
    )
