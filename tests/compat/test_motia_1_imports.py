"""What Steps of Motia 1.0 import from ``motia``: section 14.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compat.rules import rule

from motia_celery.testing import StepTester


async def described(app: StepTester, path: str) -> dict[str, Any]:
    """What OpenAPI says of a POST."""
    document = (await app.client.get("/openapi.json", headers={"host": "localhost"})).json()
    operation: dict[str, Any] = document["paths"][path]["post"]
    return operation


@rule(
    "14.2",
    "`from motia import …` gives the makers, the types, the guards, and what is used at run time",
)
@rule("14.2", "`stateManager` and `state_manager` are the same")
async def test_the_names_of_motia_are_there(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/names")
    assert answer.json() == {"guards": [True, 0], "is_queue": True, "same": True}


@rule(
    "14.2",
    "`http(method, path, body_schema=, response_schema=, query_params=, middleware=, condition=)`",
)
@rule("14.2", "`queue(topic, input=, config=, condition=)`")
@rule("14.2", "A `body_schema` describes the body, and refuses none")
async def test_makers_take_what_a_trigger_has(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"id": "1"})
        odd = await app.client.post("/orders", json={"id": 5})
        made, operation = app.plan.step("Made"), await described(app, "/orders")
    assert (answer.status_code, answer.json()) == (201, {"id": "1"})
    assert odd.status_code == 201
    assert made and made.retry.max_attempts == 8
    assert {"201", "400"} <= set(operation["responses"])
    assert operation["parameters"][0]["name"] == "dry"


@rule("14.2", "`step(config, handler)` is a Step in one value, in Python and TypeScript")
@rule("14.2", "That value may be a Python file's `config`, or a TypeScript file's default export")
async def test_step_makes_one_value(app: StepTester) -> None:
    async with app:
        assert (await app.client.get("/hello")).json() == ["hello"]
        assert (await app.client.get("/hi")).json() == ["GET"]
        for name in ("whole", "default"):
            assert (await app.client.get(f"/{name}")).json() == [name]


@rule(
    "14.2",
    "`multi_trigger_step(config).on_http(…).on_queue(…).handlers()` has a handler for each kind",
)
@rule("14.2", "The handler of `on_cron` gets the context alone")
async def test_handlers_of_each_trigger(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders/7")
        await app.emit("order.imported", {"id": 8})
        await app.tick("Orders")
        await app.settle()
        told = {line.message: line.data for line in await app.logs("info")}
    assert answer.json() == {"id": "7"}
    assert told == {
        "queue": {"data": {"id": 8}},
        "cron": {"by": "cron"},
        "stream": {"id": "7"},
    }


@rule("14.2", "`handlers({'http': …, 'queue': …})` takes them as a dict as well")
async def test_handlers_as_a_dict(app: StepTester) -> None:
    async with app:
        assert (await app.client.get("/dual")).json() == ["http"]
        await app.emit("dual", 1)
        await app.settle()
        assert [line.data for line in await app.logs("info")] == [{"data": 1}]


@rule("14.2", "In TypeScript `multiTriggerStep(config).onHttp(…).onQueue(…).onCron(…).handlers()`")
async def test_handlers_in_typescript(app: StepTester) -> None:
    async with app:
        assert (await app.client.get("/dual/5")).json() == {"id": "5"}
        await app.emit("dual", {"n": 1})
        await app.settle()
        await app.tick("Dual")
        await app.settle()
        (line,) = await app.logs("info")
    assert line.data == {"last": {"n": 1}}


@rule(
    "14.2", "`enqueue`, `logger` and `state_manager` work in whatever a handler calls, for its run"
)
async def test_what_is_imported_belongs_to_the_run(app: StepTester) -> None:
    async with app:
        traces = [
            (await app.client.post("/orders", json={"id": id})).json()["trace"] for id in ("a", "b")
        ]
        await app.settle()
        lines = await app.logs("info")
        stored = [await app.state.get("orders", id) for id in ("a", "b")]
    taken = [line.data["trace"] for line in lines if line.message == "Taken"]
    assert sorted(taken) == sorted(traces)
    assert [line.step for line in lines if line.message == "Taking"] == ["Take", "Take"]
    assert stored == [{"id": "a"}, {"id": "b"}]


@rule("14.2", "TypeScript has `enqueue`, `logger`, `stateManager`, `jsonSchema` and the guards")
async def test_the_names_of_motia_in_typescript(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"id": "1"})
        await app.emit("order.imported", {"id": "2"})
        await app.settle()
        emitted = [one.data for one in await app.emits("order.taken")]
    assert answer.json() == {"old_value": None, "new_value": {"id": "1"}, "queues": 1}
    assert emitted == [{"id": "1"}, {"id": "2"}]


@rule("14.2", "`jsonSchema(z.object(…))` is the schema of bodies, responses and inputs")
async def test_schemas_come_from_zod(project: Path, npm_packages: Path) -> None:
    (project / "node_modules").mkdir()
    (project / "node_modules" / "zod").symlink_to(npm_packages / "zod")
    async with StepTester(project) as app:
        operation = await described(app, "/orders")
        await app.emit("order.made", {"id": 1})
        await app.settle()
        (warning,) = await app.logs("warn")
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["amount"]["type"] == "number"
    assert "input schema" in warning.message


@rule(
    "14.2",
    "`get_instance`, `init_iii` and `setup_step_endpoint` reach Motia's engine",
    different="there is no engine to reach, so `motia` has none of them",
)
async def test_the_engine_is_not_needed(app: StepTester) -> None:
    async with app:
        assert (await app.client.get("/engine")).json() == {"engine": False}


@rule("14.2", "`tracing.operation_span(name, **attributes)` is a span of the run's trace")
async def test_spans_can_be_made(app: StepTester) -> None:
    async with app:
        await app.emit("order.made", {"amount": 5})
        await app.settle()
        (line,) = await app.logs("info")
    assert line.data == {"trace": True}
