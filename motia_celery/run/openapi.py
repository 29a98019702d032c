"""The OpenAPI 3.1 document of the Steps' routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from motia_celery.model.step import HttpTrigger, JsonSchema
from motia_celery.plan.routes import Route
from motia_celery.run.endpoint import is_validated
from motia_celery.settings import Settings

_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_NOT_IN_IDS = re.compile(r"\W+", re.ASCII)
_RESPONSE_KEY = re.compile(r"[1-5](\d\d|XX)|default")
_VALIDATION_ERROR: JsonSchema = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def openapi_document(
    routes: Iterable[Route], settings: Settings, title: str, version: str = "1.0.0"
) -> dict[str, Any]:
    """The document; where two routes share a path and method, the first is described."""
    components = _Components()
    operation_ids: set[str] = set()
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operations = paths.setdefault(route.path.openapi, {})
        method = route.trigger.method.lower()
        if method not in operations:
            operations[method] = _operation(route, settings, components, operation_ids)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
    }
    if components.schemas:
        document["components"] = {"schemas": components.schemas}
    return document


def _operation(
    route: Route, settings: Settings, components: _Components, taken: set[str]
) -> dict[str, Any]:
    step, trigger = route.step, route.trigger
    operation: dict[str, Any] = {
        "operationId": _operation_id(route, taken),
        "summary": step.name,
        "responses": _responses(route, is_validated(route, settings), components),
    }
    if step.description:
        operation["description"] = step.description
    if step.flows:
        operation["tags"] = list(step.flows)
    parameters = [*_path_parameters(route), *_query_parameters(trigger)]
    if parameters:
        operation["parameters"] = parameters
    if trigger.body_schema is not None:
        schema = components.add(trigger.body_schema, f"{step.name}Body")
        operation["requestBody"] = {"required": True, "content": _json(schema)}
    return operation


def _operation_id(route: Route, taken: set[str]) -> str:
    wanted = _NOT_IN_IDS.sub("_", route.step.name).strip("_") or "step"
    if wanted in taken:
        wanted = f"{wanted}_{route.trigger.method.lower()}"
    return _unique(wanted, taken)


def _unique(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return name


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = dict.fromkeys(_PATH_PARAMETER.findall(route.path.openapi))
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _query_parameters(trigger: HttpTrigger) -> list[dict[str, Any]]:
    described = {param.name: param.description for param in trigger.query_params}
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": description,
            "schema": {"type": "string"},
        }
        for name, description in described.items()
    ]


def _responses(route: Route, validated: bool, components: _Components) -> dict[str, Any]:
    responses = {
        status: {
            "description": _phrase(status),
            "content": _json(components.add(schema, f"{route.step.name}{status}")),
        }
        for status, schema in route.trigger.response_schema.items()
        if _RESPONSE_KEY.fullmatch(status)
    }
    if validated:
        content = _json(dict(_VALIDATION_ERROR))
        responses.setdefault("400", {"description": "Validation failed", "content": content})
    return responses or {"200": {"description": "OK"}}


def _phrase(status: str) -> str:
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return "Response"


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


class _Components:
    """The schemas that several places may point to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}
        self._sources: dict[str, Any] = {}

    def add(self, schema: JsonSchema, name: str) -> Any:
        """The schema as OpenAPI holds it.

        One without references stands where it is used. One with them becomes a component, and
        its ``$defs`` become components too, so that every reference points into this document.
        """
        local = {k: v for k, v in schema.items() if k not in ("$schema", "$defs", "definitions")}
        if not _references(local):
            return local
        parts = {"#": local, **_definitions(schema)}
        names = {"#": str(schema.get("title") or name)}
        targets = {
            pointer: self._place(names.get(pointer) or pointer.rpartition("/")[2], pointer, parts)
            for pointer in parts
        }
        for pointer, part in parts.items():
            self.schemas[targets[pointer]] = _rewritten(part, targets)
        return {"$ref": _component(targets["#"])}

    def _place(self, wanted: str, pointer: str, parts: Mapping[str, Any]) -> str:
        """The component's name: that of an equal one, else a free one."""
        source = _reachable(pointer, parts)
        name = wanted = _NOT_IN_NAMES.sub("_", wanted) or "Schema"
        number = 2
        while self._sources.setdefault(name, source) != source:
            name, number = f"{wanted}_{number}", number + 1
        return name


def _definitions(schema: JsonSchema) -> dict[str, Any]:
    """The schema's definitions by the pointers that refer to them."""
    return {
        f"#/{keyword}/{key.replace('~', '~0').replace('/', '~1')}": definition
        for keyword in ("$defs", "definitions")
        for key, definition in (schema.get(keyword) or {}).items()
    }


def _reachable(pointer: str, parts: Mapping[str, Any]) -> list[Any]:
    """A part with every part that it refers to, so that equal names can be told apart."""
    found = [pointer]
    for current in found:
        for reference in _references(parts[current]):
            head = _head(reference, parts)
            if head not in found:
                found.append(head)
    return [parts[each] for each in found]


def _head(reference: str, parts: Mapping[str, Any]) -> str:
    """The part that a reference leads into."""
    head = "/".join(reference.split("/")[:3])
    return head if head in parts else "#"


def _component(name: str) -> str:
    return f"#/components/schemas/{name}"


def _references(node: Any) -> list[str]:
    """Every reference within the schema that the node holds."""
    if isinstance(node, Mapping):
        own = node.get("$ref")
        found = [own] if isinstance(own, str) and own.startswith("#") else []
        return found + [ref for value in node.values() for ref in _references(value)]
    if isinstance(node, (list, tuple)):
        return [ref for item in node for ref in _references(item)]
    return []


def _rewritten(node: Any, targets: Mapping[str, str], key: str = "") -> Any:
    """The schema with its references pointing at the components."""
    if isinstance(node, Mapping):
        inside = "$ref" if key == "mapping" else ""  # a discriminator's mapping holds references
        return {k: _rewritten(v, targets, inside or k) for k, v in node.items()}
    if isinstance(node, (list, tuple)):
        return [_rewritten(item, targets) for item in node]
    if key == "$ref" and isinstance(node, str) and node.startswith("#"):
        return _retarget(node, targets)
    return node


def _retarget(reference: str, targets: Mapping[str, str]) -> str:
    head = _head(reference, targets)
    return _component(targets[head]) + reference[len(head) :]
