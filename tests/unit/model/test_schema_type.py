"""JSON Schema as a TypeScript type."""

from __future__ import annotations

import pytest

from motia_celery.model.schema_type import schema_type

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (None, "unknown"),
        ({}, "unknown"),
        (True, "unknown"),
        (False, "never"),
        ({"type": "integer"}, "number"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"type": "string", "nullable": True}, "string | null"),
        ({"const": 'a"b'}, '"a\\"b"'),
        ({"enum": ["a", 1, None, True]}, '"a" | 1 | null | true'),
        ({"enum": [{}]}, "any"),
        ({"enum": []}, "never"),
        (OBJECT, '{ "a": string }'),
        ({"properties": {"a b": {}}}, '{ "a b"?: unknown }'),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "additionalProperties": OBJECT}, 'Record<string, { "a": string }>'),
        ({"type": "array"}, "Array<unknown>"),
        ({"type": "array", "items": {"type": ["string", "number"]}}, "Array<string | number>"),
        ({"type": "array", "prefixItems": [{"type": "string"}, {}]}, "[string, unknown]"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"oneOf": [{"type": "string"}, {}]}, "unknown"),
        ({"allOf": [OBJECT, {"type": "object"}]}, '{ "a": string } & Record<string, unknown>'),
        ({"allOf": [{"enum": ["a", "b"]}, {}]}, '("a" | "b")'),
        ({"$ref": "#/$defs/x", "$defs": {"x": OBJECT}}, '{ "a": string }'),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "null"}}}, "null"),
        ({"$ref": "https://example.com/x.json"}, "any"),
        ({"$ref": "#/$defs/none"}, "unknown"),
        (
            {
                "$ref": "#/$defs/tree",
                "$defs": {
                    "tree": {
                        "type": "object",
                        "properties": {"of": {"items": {"$ref": "#/$defs/tree"}, "type": "array"}},
                    }
                },
            },
            '{ "of"?: Array<any> }',
        ),
    ],
)
def test_each_part_of_a_schema(schema, text):
    assert schema_type(schema) == text
