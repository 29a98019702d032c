"""Reading a ``config``: it becomes a Step or a stream, and a list of what is wrong in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from motia_celery.model.config import (
    ApiStep,
    CronStep,
    EmitConfig,
    EventStep,
    NoopStep,
    RunningConfig,
    StepConfig,
    StreamConfig,
)
from motia_celery.model.kinds import lists_triggers
from motia_celery.model.options import Config
from motia_celery.model.problem import Problem
from motia_celery.model.retry import RetryPolicy
from motia_celery.model.step import Emit, Hook, JsonSchema, Language, Step, Stream, step_id
from motia_celery.model.triggers import TriggersStep

#: Marks left in a config by Motia's own loaders; they carry no meaning here.
_IGNORED_KEYS = frozenset({"__motia_hasCanAccess"})

_TYPES: dict[str, type[StepConfig]] = {
    "api": ApiStep,
    "event": EventStep,
    "cron": CronStep,
    "noop": NoopStep,
}


def read_step(
    raw: Any, *, file: str, path: str, language: Language = "python"
) -> tuple[Step | None, tuple[Problem, ...]]:
    """The Step that a ``config`` describes, with what is wrong in it.

    ``file`` is relative to the project, ``path`` absolute. The Step is None where an error
    keeps it from running; unknown keys are only warned of.
    """
    if isinstance(raw, (ApiStep, EventStep, CronStep, NoopStep, TriggersStep)):
        return _build(raw, file, path, language), _doubts(raw, file)
    if not isinstance(raw, Mapping):
        return None, (_not_a_config(raw, file),)
    model = _model_of(raw)
    if model is None:
        return None, (_unknown_type(raw.get("type"), file),)
    try:
        config = model.model_validate({k: v for k, v in raw.items() if k not in _IGNORED_KEYS})
    except ValidationError as error:
        return None, tuple(_field_problems(error, file))
    return _build(config, file, path, language), _doubts(config, file)


def _model_of(raw: Mapping[Any, Any]) -> type[StepConfig | TriggersStep] | None:
    if lists_triggers(raw):
        return TriggersStep
    kind = raw.get("type")
    return _TYPES.get(kind) if isinstance(kind, str) else None


def read_stream(
    raw: Any, *, file: str, language: Language = "python"
) -> tuple[Stream | None, tuple[Problem, ...]]:
    """The stream that a ``config`` describes, with what is wrong in it."""
    if isinstance(raw, StreamConfig):
        config = raw
    elif isinstance(raw, Mapping):
        try:
            known = {key: value for key, value in raw.items() if key not in _IGNORED_KEYS}
            config = StreamConfig.model_validate(known)
        except ValidationError as error:
            return None, tuple(_field_problems(error, file))
    else:
        return None, (_not_a_config(raw, file),)
    stream = Stream(
        name=config.name,
        file=file,
        language=language,
        schema=cast(JsonSchema | None, config.schema_),
        has_access_rule=config.can_access is not None,
        hooks=tuple(_hooks(config)),
    )
    return stream, (*_unknown_keys(config, file), *_storage(config, file))


def _hooks(config: StreamConfig) -> Iterable[Hook]:
    if config.on_join is not None:
        yield "onJoin"
    if config.on_leave is not None:
        yield "onLeave"


def _storage(config: StreamConfig, file: str) -> Iterable[Problem]:
    """A warning for a stream that asks for another place than Redis."""
    base = config.base_config
    kind = base.get("storageType", "default") if isinstance(base, Mapping) else base
    if kind not in (None, "default"):
        yield Problem(
            file=file,
            what=f"baseConfig of the stream {config.name!r} asks for the storage {kind!r}",
            fix='Write {"storageType": "default"}: items are kept in Redis in any case.',
            severity="warning",
            field="baseConfig",
        )


def _doubts(config: StepConfig | TriggersStep, file: str) -> tuple[Problem, ...]:
    """What is likely a mistake, though the Step runs."""
    differing = _differing(config, file) if isinstance(config, TriggersStep) else ()
    return (*_unknown_keys(config, file), *differing)


def _differing(config: TriggersStep, file: str) -> Iterable[Problem]:
    for index in config.differing():
        yield Problem(
            file=file,
            what=f"a queue trigger of {config.name!r} has another config than the first one, "
            "which is that of the Step's one queue",
            fix="Give all of them the same config, or make two Steps of it.",
            severity="warning",
            field=f"triggers.{index}.config",
        )


def _build(config: StepConfig | TriggersStep, file: str, path: str, language: Language) -> Step:
    running = config if isinstance(config, RunningConfig) else None
    hearing = config if isinstance(config, (EventStep, TriggersStep)) else None
    return Step(
        name=config.name,
        file=file,
        language=language,
        triggers=config.triggers(),
        emits=_emits(running.outgoing() if running else ()),
        description=config.description,
        flows=tuple(config.flows),
        virtual_emits=_emits(config.drawn()),
        virtual_subscribes=tuple(config.virtual_subscribes),
        retry=running.retry_policy() if running else RetryPolicy(max_attempts=1),
        timeout_seconds=running.infrastructure.handler.timeout if running else None,
        isolated=running.infrastructure.handler.isolated if running else None,
        once=hearing.once if hearing else False,
        event_schema=hearing.event_schema if hearing else None,
        lists_triggers=isinstance(config, TriggersStep),
        id=step_id(path),
    )


def _emits(emits: Iterable[str | EmitConfig]) -> tuple[Emit, ...]:
    return tuple(
        Emit(topic=emit)
        if isinstance(emit, str)
        else Emit(topic=emit.topic, label=emit.label, conditional=emit.conditional)
        for emit in emits
    )


def _not_a_config(raw: Any, file: str) -> Problem:
    return Problem(
        file=file,
        what=f"config is {type(raw).__name__}, not a dict or a typed config object",
        fix='Write config = {"type": "event", "name": …}.',
    )


def _unknown_type(kind: object, file: str) -> Problem:
    return Problem(
        file=file,
        what=f"config has the type {kind!r}" if kind else "config has no type",
        fix='Set "type" to one of: api, event, cron, noop.',
        field="type",
    )


def _field_problems(error: ValidationError, file: str) -> Iterable[Problem]:
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        parts = (str(part) for part in fault["loc"])
        where = ".".join(part for part in parts if not part.startswith("<"))
        message = fault["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
        yield Problem(
            file=file,
            what=f"config field {where!r}: {message}",
            fix=f"Correct {where!r} in the config; this file is left out until then.",
            field=where,
        )


def _unknown_keys(config: BaseModel, file: str, inside: str = "") -> tuple[Problem, ...]:
    """A warning for each key that no field of the config takes, at any depth."""
    problems = [
        Problem(
            file=file,
            what=f"unknown config key {inside + key!r}",
            fix=f"Remove it, or correct its spelling; {_known_keys(config)} are known here.",
            severity="warning",
            field=inside + key,
        )
        for key in config.model_extra or {}
    ]
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        label = f"{inside}{field.alias or name}."
        if isinstance(value, Config):
            problems.extend(_unknown_keys(value, file, label))
        for index, part in enumerate(value if isinstance(value, tuple) else ()):
            if isinstance(part, Config):
                problems.extend(_unknown_keys(part, file, f"{label}{index}."))
    return tuple(problems)


def _known_keys(config: BaseModel) -> str:
    return ", ".join(field.alias or name for name, field in type(config).model_fields.items())
