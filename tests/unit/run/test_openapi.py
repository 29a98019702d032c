"""Rules of the OpenAPI document: it describes the Steps, and every reference leads somewhere."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from motia_celery.model.step import HttpTrigger, QueryParam, Step
from motia_celery.plan.routes import compile_routes
from motia_celery.run.openapi import openapi_document
from motia_celery.settings import Settings


def document(*steps: Step, **settings: Any) -> dict[str, Any]:
    return openapi_document(compile_routes(steps)[0], Settings(**settings), "app")


def api(name: str, path: str, method: str = "POST", **trigger: Any) -> Step:
    http = HttpTrigger(method=method, path=path, **trigger)
    return Step(
        name=name,
        file=f"{name}.py",
        language="python",
        triggers=(http,),
        description="What it does.",
        flows=("orders", "shop"),
    )


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(item) for item in node)) if isinstance(node, list) else set()


def resolve(doc: dict[str, Any], reference: str) -> Any:
    node: Any = doc
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def body_of(doc: dict[str, Any], path: str, method: str = "post") -> Any:
    return doc["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]


def test_a_step_is_one_operation() -> None:
    step = api(
        "Update User",
        r"/users/:id(\d+)/:tab?",
        "PUT",
        body_schema={"type": "object"},
        response_schema={"200": {"type": "array", "items": {"type": "string"}}, "404": {}},
        query_params=(QueryParam(name="verbose", description="All fields."),),
    )
    operation = document(step)["paths"]["/users/{id}/{tab}"]["put"]
    assert operation["operationId"] == "Update_User"
    assert operation["summary"] == "Update User"
    assert operation["description"] == "What it does."
    assert operation["tags"] == ["orders", "shop"]
    assert [(p["name"], p["in"], p["required"]) for p in operation["parameters"]] == [
        ("id", "path", True),
        ("tab", "path", True),
        ("verbose", "query", False),
    ]
    assert operation["responses"]["200"]["description"] == "OK"
    assert operation["responses"]["404"]["description"] == "Not Found"
    content = operation["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"type": "array", "items": {"type": "string"}}


def test_operation_ids_are_unique() -> None:
    two = Step(
        name="both",
        file="both.py",
        language="python",
        triggers=(HttpTrigger(method="GET", path="/a"), HttpTrigger(method="POST", path="/a")),
    )
    paths = document(two, api("both!", "/b"))["paths"]
    ids = [op["operationId"] for operations in paths.values() for op in operations.values()]
    assert len(ids) == len(set(ids)) == 3


def test_definitions_become_components_and_are_shared() -> None:
    class Item(BaseModel):
        sku: str

    class Order(BaseModel):
        items: list[Item]

    class Parcel(BaseModel):
        item: Item

    doc = document(
        api("a", "/a", body_schema=Order.model_json_schema()),
        api("b", "/b", body_schema=Parcel.model_json_schema()),
    )
    assert set(doc["components"]["schemas"]) == {"Item", "Order", "Parcel"}
    assert body_of(doc, "/a") == {"$ref": "#/components/schemas/Order"}
    assert all(resolve(doc, reference) for reference in references(doc))


def test_different_definitions_of_one_name_stay_apart() -> None:
    def schema(kind: str) -> dict[str, Any]:
        return {"$defs": {"Item": {"type": kind}}, "properties": {"i": {"$ref": "#/$defs/Item"}}}

    doc = document(
        api("a", "/a", body_schema=schema("string")), api("b", "/b", body_schema=schema("number"))
    )
    kinds = [
        resolve(doc, resolve(doc, body_of(doc, path)["$ref"])["properties"]["i"]["$ref"])["type"]
        for path in ("/a", "/b")
    ]
    assert kinds == ["string", "number"]


def test_recursive_and_draft_7_schemas_keep_their_references() -> None:
    tree = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "children": {"type": "array", "items": {"$ref": "#"}},
            "leaf": {"$ref": "#/definitions/Leaf"},
            "same": {"$ref": "#/properties/leaf"},
        },
        "definitions": {"Leaf": {"type": "string"}},
    }
    doc = document(api("tree", "/t", body_schema=tree))
    root = resolve(doc, body_of(doc, "/t")["$ref"])
    assert "$schema" not in root
    assert "definitions" not in root
    assert all(resolve(doc, reference) for reference in references(doc))


def test_a_discriminators_mapping_is_rewritten() -> None:
    schema = {
        "$defs": {"Cat": {"type": "object"}},
        "oneOf": [{"$ref": "#/$defs/Cat"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/$defs/Cat"}},
    }
    doc = document(api("pet", "/p", body_schema=schema))
    root = resolve(doc, body_of(doc, "/p")["$ref"])
    assert root["discriminator"]["mapping"] == {"cat": "#/components/schemas/Cat"}


def test_the_400_of_validation_is_described_where_bodies_are_checked() -> None:
    step = api("a", "/a", body_schema={"type": "object"})
    assert "400" not in document(step)["paths"]["/a"]["post"]["responses"]
    assert "400" in document(step, validate_body=True)["paths"]["/a"]["post"]["responses"]


def test_a_catch_all_path_is_a_valid_template() -> None:
    assert list(document(api("all", "*"))["paths"]) == ["/{0}"]
