"""Schemas of the project's own library become JSON Schema when a config is read."""

from __future__ import annotations

import pytest

from motia_celery.discover import discover
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost

ZOD = """
import { z } from 'zod';
export const config = {
  type: 'api', name: 'a', method: 'POST', path: '/a', emits: [],
  bodySchema: z.object({
    name: z.string().min(1),
    age: z.number().int().optional(),
    tags: z.array(z.enum(['x', 'y'])).default([]),
  }),
  responseSchema: { 200: z.object({ ok: z.boolean() }), 404: z.string() },
};
export const handler = async () => ({ status: 200, body: { ok: true } });
"""


@pytest.fixture
def project(tmp_path, npm_packages):
    (tmp_path / "steps").mkdir()
    (tmp_path / "node_modules").mkdir()

    def read(source, **packages):
        (tmp_path / "steps" / "a.step.ts").write_text(source)
        for name, folder in packages.items():
            link = tmp_path / "node_modules" / name.replace("_", "-")
            link.symlink_to(npm_packages / folder, target_is_directory=True)
        return discover(tmp_path, PythonHost(tmp_path, threads=1), NodeHost(tmp_path))

    return read


@pytest.mark.parametrize(
    "packages",
    [{"zod": "zod"}, {"zod": "zod3"}, {"zod": "zod3", "zod_to_json_schema": "zod-to-json-schema"}],
    ids=["zod 4", "zod 3", "zod 3 with zod-to-json-schema"],
)
def test_zod(project, packages):
    found = project(ZOD, **packages)
    assert found.problems == ()
    (trigger,) = found.steps[0].http
    schema = trigger.body_schema
    assert schema["type"] == "object"
    assert schema["properties"]["name"] == {"type": "string", "minLength": 1}
    assert schema["properties"]["age"]["type"] == "integer"
    assert schema["properties"]["tags"]["items"] == {"type": "string", "enum": ["x", "y"]}
    assert schema["required"] == ["name"]
    assert trigger.response_schema["200"]["properties"] == {"ok": {"type": "boolean"}}
    assert trigger.response_schema["404"]["type"] == "string"


def test_zod_4_of_the_package_zod_3(project):
    found = project(ZOD.replace("'zod'", "'zod/v4'"), zod="zod3")
    assert found.problems == ()
    assert found.steps[0].http[0].body_schema["required"] == ["name"]


EVENT = """
const schema = SCHEMA;
export const config = {type: 'event', name: 'a', subscribes: ['x'], emits: [], input: schema};
export const handler = async () => {};
"""


@pytest.mark.parametrize(
    "schema",
    [
        "{ type: 'object', properties: { n: { type: 'number' } } }",
        "{ '~standard': {}, toJSON: () => "
        "({ type: 'object', properties: { n: { type: 'number' } } }) }",
        "Object.assign(() => 1, { toJsonSchema: () => "
        "({ type: 'object', properties: { n: { type: 'number' } } }) })",
        "{ '~standard': { vendor: 'v', jsonSchema: { input: () => "
        "({ type: 'object', properties: { n: { type: 'number' } } }) } } }",
    ],
)
def test_json_schema_and_objects_that_give_it(project, schema):
    found = project(EVENT.replace("SCHEMA", schema))
    assert found.problems == ()
    expected = {"type": "object", "properties": {"n": {"type": "number"}}}
    assert found.steps[0].events[0].input_schema == expected


def test_a_schema_that_can_not_be_read_is_warned_of_and_the_step_runs(project):
    found = project(EVENT.replace("SCHEMA", "{ '~standard': { vendor: 'other' } }"))
    (problem,) = found.problems
    assert problem.severity == "warning"
    assert "'input'" in problem.what
    assert found.steps[0].events[0].input_schema is None
