"""What a Python file defines, as a host tells it: its config as JSON, and whether it can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from motia_celery.model.kinds import lists_triggers
from motia_celery.runtime.source import Definition
from motia_celery.stores.values import is_model

_SCHEMAS = ("input", "bodySchema", "body_schema", "schema")
_RESPONSES = ("responseSchema", "response_schema")
_FUNCTIONS = frozenset(
    {
        *("middleware", "condition", "canAccess", "can_access"),
        *("onJoin", "on_join", "onLeave", "on_leave"),
    }
)


def describe(definition: Definition) -> dict[str, Any]:
    """The ``definition`` of a ``loaded`` message; ``docs/frames.md`` names its fields."""
    warnings: list[dict[str, str]] = []
    handler, rule = definition.handler, definition.can_access
    return {
        "config": _config(definition.config, warnings),
        "warnings": warnings,
        "hasHandler": callable(handler),
        "handlerType": "" if handler is None else type(handler).__name__,
        "hasMiddleware": bool(definition.middleware),
        "hasCanAccess": callable(rule),
        "accessType": "" if rule is None or callable(rule) else type(rule).__name__,
        "hooks": {
            name: "function" if callable(hook) else type(hook).__name__
            for name, hook in definition.hooks.items()
        },
    }


def _config(config: Any, warnings: list[dict[str, str]]) -> Any:
    if is_model(config):  # a typed config object
        kind = getattr(config, "type", None)
        typed = {"type": kind} if kind else {}
        config = {**typed, **config.model_dump(by_alias=True, exclude_unset=True)}
    if not isinstance(config, Mapping):
        return _plain(config)
    told = _told(config, "", warnings)
    if lists_triggers(config) and isinstance(listed := told["triggers"], (list, tuple)):
        told["triggers"] = [
            _told(trigger, f"triggers.{index}.", warnings)
            if isinstance(trigger, Mapping)
            else trigger
            for index, trigger in enumerate(listed)
        ]
    return _plain(told)


def _told(config: Mapping[Any, Any], inside: str, warnings: list[dict[str, str]]) -> dict[Any, Any]:
    """The config without its functions, and with JSON Schema where it has models."""
    told = {key: value for key, value in config.items() if key not in _FUNCTIONS}
    for field in _SCHEMAS:
        _turn(told, field, f"{inside}{field}", warnings)
    for field in _RESPONSES:
        if isinstance(responses := told.get(field), Mapping):
            told[field] = {str(status): schema for status, schema in responses.items()}
            for status in told[field].copy():
                _turn(told[field], status, f"{inside}{field}.{status}", warnings)
    return told


def _turn(owner: dict[str, Any], key: str, field: str, warnings: list[dict[str, str]]) -> None:
    """Puts JSON Schema in the place of a pydantic class."""
    schema = owner.get(key)
    turn = getattr(schema, "model_json_schema", None)
    if turn is None:
        return
    try:
        owner[key] = turn()
    except Exception as error:  # a model may bring its own schema code
        del owner[key]
        warnings.append({"field": field, "message": str(error)})


def _plain(config: Any) -> Any:
    def shown(value: Any) -> Any:
        if isinstance(value, Mapping):
            return dict(value)
        return None if callable(value) else str(value)

    return orjson.loads(orjson.dumps(config, shown, orjson.OPT_NON_STR_KEYS))
