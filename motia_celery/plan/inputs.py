"""The ``input`` schemas of the Steps, and what becomes of an event that does not fit them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from motia_celery.errors import SchemaMismatchError
from motia_celery.model.step import EventTrigger, SchemaPolicy, Step
from motia_celery.model.topic import matches
from motia_celery.plan.routes import no_remote

if TYPE_CHECKING:
    import jsonschema_rs

logger = logging.getLogger("motia_celery.plan")

#: How many faults of one event are told.
_MOST_FAULTS = 10


_Validators = list[tuple[tuple[str, ...], "jsonschema_rs.Validator | None"]]


class Inputs:
    """The schemas of all Steps, compiled. ``policy`` is that of Steps without one of their own."""

    def __init__(self, steps: Iterable[Step], policy: SchemaPolicy = "warn") -> None:
        self._policies: dict[str, SchemaPolicy] = {}
        self._validators: dict[str, _Validators] = {}
        for step in steps:
            validators = [(t.topics, _validator(step, t)) for t in step.events]
            if any(validator for _, validator in validators):
                self._validators[step.name] = validators
                self._policies[step.name] = step.event_schema or policy
        #: Whether any Step has events refused where they are emitted.
        self.refuses = "refuse" in self._policies.values()

    def faults(self, step: str, data: Any, topic: str | None = None) -> list[str]:
        """What keeps the data from fitting the Step's schema; nothing if it fits, or has none.

        A Step with several event triggers may have one for each; that of ``topic`` counts.
        """
        validator = self._of(step, topic)
        if validator is None or validator.is_valid(data):
            return []
        return list(_told(validator, data))

    def _of(self, step: str, topic: str | None) -> jsonschema_rs.Validator | None:
        validators = self._validators.get(step, [])
        if topic and len(validators) > 1:
            validators = [(p, v) for p, v in validators if any(matches(one, topic) for one in p)]
        return validators[0][1] if validators else None

    def lets_run(self, step: str) -> bool:
        """Whether an event that does not fit is only warned of."""
        return self._policies.get(step, "warn") == "warn"

    def may_refuse(self, steps: Iterable[str]) -> bool:
        """Whether an event for these Steps may be refused where it is emitted."""
        return any(self._policies.get(step) == "refuse" for step in steps)

    def check(self, topic: str, data: Any, steps: Iterable[str]) -> None:
        """Returns if a Step of those that hear the topic would run.

        Raises:
            SchemaMismatchError: the data fits none, and one of them has it refused.
        """
        hearing = tuple(steps)
        if not self.may_refuse(hearing):
            return
        told = {step: self.faults(step, data, topic) for step in hearing}
        if any(not faults or self.lets_run(step) for step, faults in told.items()):
            return
        faults = "; ".join(f"{step}: {', '.join(faults)}" for step, faults in told.items())
        raise SchemaMismatchError(
            f"the data fits the input of no Step that hears it ({faults}).",
            f"emit {topic!r}",
            "Correct the data or the schema; the setting event_schema decides what a misfit is.",
        )


def mismatch(step: Step, faults: Iterable[str]) -> SchemaMismatchError:
    """The error of an event that does not run, because it does not fit."""
    return SchemaMismatchError(
        f"the event does not fit the Step's input schema ({'; '.join(faults)}).",
        step.file,
        "Replay it once the schema or the data is corrected.",
    )


def _told(validator: jsonschema_rs.Validator, data: Any) -> Iterator[str]:
    for _, error in zip(range(_MOST_FAULTS), validator.iter_errors(data), strict=False):
        yield f"{'/'.join(map(str, error.instance_path)) or 'data'}: {error.message}"


def _validator(step: Step, trigger: EventTrigger) -> jsonschema_rs.Validator | None:
    schema: Mapping[str, Any] | None = trigger.input_schema
    if not schema:
        return None
    import jsonschema_rs  # 3 MB, which only an app with schemas needs

    try:
        return jsonschema_rs.validator_for(dict(schema), retriever=no_remote)
    except (ValueError, jsonschema_rs.ValidationError) as error:
        logger.warning(
            "The input schema is not valid JSON Schema: %s",
            error,
            extra={"action": "schema.invalid", "step": step.name},
        )
        return None
