"""The schemas of a Step whose handler names a model, and whose config names no schema."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from motia_celery.model.step import EventTrigger, HttpTrigger, Step, Trigger
from motia_celery.runtime.wanted import Wanted


def as_wanted(step: Step, wanted: Wanted | None) -> Step:
    """The Step with the schema of what its handler wants; bodies are checked with it.

    A schema of the config's own stays, and so does its ``validateBody``.
    """
    if wanted is None:
        return step
    schema = _schema(wanted)
    triggers = tuple(_with_schema(trigger, wanted, schema) for trigger in step.triggers)
    return replace(step, triggers=triggers)


def _with_schema(trigger: Trigger, wanted: Wanted, schema: Any) -> Trigger:
    if isinstance(trigger, HttpTrigger) and wanted.in_body:
        checked = True if trigger.validate_body is None else trigger.validate_body
        return replace(trigger, body_schema=trigger.body_schema or schema, validate_body=checked)
    if isinstance(trigger, EventTrigger) and not wanted.in_body:
        return replace(trigger, input_schema=trigger.input_schema or schema)
    return trigger


def _schema(wanted: Wanted) -> Any:
    try:
        return wanted.schema
    except Exception:  # a model may bring its own schema code; its instances are checked anyway
        return None
