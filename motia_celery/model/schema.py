"""The JSON Schema of a ``config`` that is written as a dict, for editors and other tools."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from motia_celery.model.config import StepConfig
from motia_celery.model.path import METHODS

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_STEPS: Final = ("ApiStep", "EventStep", "CronStep", "NoopStep")

#: Fields that may be null where their types do not say so: null is nothing.
_NULLABLE: Final = frozenset({"description", "infrastructure", "queryParams", "responseSchema"})


def config_schema() -> dict[str, Any]:
    """The schema of a Step's ``config`` as JSON: functions and classes are not part of it.

    It takes Motia's field names, and no others.
    """
    schema: dict[str, Any] = TypeAdapter(StepConfig).json_schema(by_alias=True)
    parts = schema["$defs"]
    for name, part in parts.items():
        part["additionalProperties"] = False
        part.pop("description", None)  # what the class says of itself
        for field in part["properties"].values():
            field.pop("title", None)
        if name in _STEPS:
            part["required"] = ["type", *part["required"]]
    parts["ApiStep"]["properties"]["method"] = {"enum": list(METHODS)}
    parts["RetryConfig"]["properties"]["jitter"] = {
        "anyOf": [{"type": "boolean"}, {"type": "number", "minimum": 0, "maximum": 1}],
        "default": 0.5,
    }
    for step in _STEPS:
        fields = parts[step]["properties"]
        for name in fields.keys() & _NULLABLE:
            fields[name] = {"anyOf": [fields[name], {"type": "null"}]}
    return {
        "$schema": _DRAFT,
        "title": "config of a Step",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in _STEPS],
        "$defs": parts,
    }
