"""Request bodies checked against ``bodySchema``, where the app or the Step asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from motia_celery.context.request import Upload
from motia_celery.errors import ConfigError
from motia_celery.model.step import JsonSchema
from motia_celery.plan.routes import schema_fault

if TYPE_CHECKING:
    import jsonschema_rs

#: Enough to mend a form; a body of a million wrong items must not make a huge answer.
_MAX_DETAILS = 50
_MAX_MESSAGE = 300

Detail = dict[str, str]
Validator = Callable[[Any], list[Detail]]


def compile_validator(schema: JsonSchema, where: str = "") -> Validator:
    """A function from a body to what is wrong with it; an empty list means nothing.

    Raises:
        ConfigError: the schema is not valid.
    """
    import jsonschema_rs  # 3 MB, which only an app with schemas needs

    fault = schema_fault(schema)
    if fault:
        raise ConfigError(f"bodySchema is not valid JSON Schema: {fault}", where, "Correct it.")
    validator = jsonschema_rs.validator_for(dict(schema), validate_formats=True)

    def validate(body: Any) -> list[Detail]:
        try:
            return [_detail(e) for e in islice(validator.iter_errors(body), _MAX_DETAILS)]
        except ValueError as error:  # nested deeper than the validator goes
            return [{"path": "", "message": str(error)[:_MAX_MESSAGE]}]

    return validate


def _detail(error: jsonschema_rs.ValidationError) -> Detail:
    path = list(error.instance_path)
    if error.kind.name == "required":
        path.append(error.kind.as_dict()["property"])
    return {"path": _pointer(path), "message": error.message[:_MAX_MESSAGE]}


def _pointer(path: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def named_uploads(value: Any) -> Any:
    """A form's body with each uploaded file as its name: a schema can only call it a string."""
    if isinstance(value, Upload):
        return value["filename"]
    if isinstance(value, dict):
        return {key: named_uploads(item) for key, item in value.items()}
    if isinstance(value, list):
        return [named_uploads(item) for item in value]
    return value
