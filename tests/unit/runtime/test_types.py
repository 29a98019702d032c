"""The types that TypeScript Steps get know every field of a config."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from motia_celery.model import config, options
from motia_celery.runtime import node

TYPES = (Path(node.__file__).parent / "node" / "motia" / "index.d.ts").read_text()
INTERFACE = re.compile(
    r"^(?:export )?interface (\w+)(?:<[^{]*>)?(?: extends (\w+))? \{\n(.*?)^\}", re.M | re.S
)
FOUND = {name: (base, body) for name, base, body in INTERFACE.findall(TYPES)}


def members(interface: str) -> set[str]:
    base, body = FOUND[interface]
    own = set(re.findall(r"^  (\w+)\??[:(]", body, re.M))
    return own | members(base) if base else own


@pytest.mark.parametrize(
    ("model", "interface"),
    [
        (config.ApiStep, "ApiRouteConfig"),
        (config.EventStep, "EventConfig"),
        (config.CronStep, "CronConfig"),
        (config.NoopStep, "NoopConfig"),
        (config.StreamConfig, "StreamConfig"),
        (options.HandlerConfig, "HandlerConfig"),
        (options.HandlerInfrastructureConfig, "HandlerInfrastructureConfig"),
        (options.InfrastructureConfig, "InfrastructureConfig"),
        (options.QueueConfig, "QueueConfig"),
        (options.RetryConfig, "RetryConfig"),
        (config.QueryParamConfig, "QueryParam"),
    ],
)
def test_every_field_has_its_type(model: type[BaseModel], interface: str) -> None:
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert fields <= members(interface)
