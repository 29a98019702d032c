"""Configs of http Steps, in Python and TypeScript: sections 2.1 and 2.6."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from compat.rules import rule

from motia_celery.testing import StepTester


async def openapi(app: StepTester) -> dict[str, Any]:
    """What the app's OpenAPI says, with its components in place."""
    document: dict[str, Any] = (await app.client.get("http://localhost/openapi.json")).json()
    return document


@rule("2.1", "`path` may have parameters: `/users/:id`, which take one segment")
@rule("2.1", "A parameter may be left out by the request where it is `:page?`")
@rule("2.1", "`*` takes the rest of the path; it and unnamed groups are the parameters `0`, `1`, …")
@rule("2.1", "A parameter may have a pattern, `:number(\\d+)`: what does not match is another path")
@rule(
    "2.1",
    "Several parameters may share a segment, `/:year-:month.:format`, and groups may be "
    "alternatives, `/(cats|dogs)/all`",
)
@rule("2.1", "Paths match in any case, with or without a slash at their end")
async def test_paths_are_those_of_express(app: StepTester) -> None:
    async def get(path: str) -> object:
        answer = await app.client.get(path)
        return answer.json() if answer.status_code == 200 else answer.status_code

    async with app:
        assert await get("/users/7") == {"step": "User", "id": "7"}
        assert await get("/users/7/x") == 404
        assert await get("/users") == 404
        assert await get("/docs/v1/intro") == {"step": "Docs", "page": "intro"}
        assert await get("/docs/v1") == {"step": "Docs"}
        assert await get("/assets/css/a.css") == {"step": "Assets", "0": "css/a.css"}
        assert await get("/invoices/12") == {"step": "Invoice", "number": "12"}
        assert await get("/invoices/x") == 404
        assert await get("/reports/2030-01.pdf") == {
            "step": "Report",
            "year": "2030",
            "month": "01",
            "format": "pdf",
        }
        assert await get("/dogs/all") == {"step": "Kind"}
        assert await get("/cows/all") == 404
        assert await get("/USERS/Ada/") == {"step": "User", "id": "Ada"}


@rule("2.1", "Steps may share a path, each with its `method`: GET, POST, PUT, PATCH, DELETE, HEAD")
@rule("2.1", "A GET Step answers HEAD too, without its body")
async def test_methods_have_steps_of_their_own(app: StepTester) -> None:
    async with app:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = await app.client.request(method, "/thing")
            assert answer.json() == {"step": method.capitalize()}
        own = await app.client.head("/head")
        head = await app.client.head("/thing")
        runs = [run.step for run in await app.settle()]
    assert own.headers["x-step"] == "Head"
    assert (head.status_code, head.content, runs[-1]) == (200, b"", "Get")


@rule(
    "2.1",
    "A Step of the method OPTIONS never runs: preflights are answered without it",
    better="`check` says so",
)
async def test_options_steps_never_run(app: StepTester) -> None:
    async with app:
        answer = await app.client.options("/thing")
        runs, (problem,) = await app.runs(), app.plan.problems
    assert (answer.status_code, answer.content, runs) == (204, b"", [])
    assert (problem.file, "OPTIONS" in problem.what) == ("steps/options_step.py", True)


@rule(
    "2.1",
    "A method that is none of the seven keeps the app from starting",
    better="Its Step is left out, and named; the others run",
)
async def test_an_unknown_method(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        answer = await app.client.get("/home")
        (problem,) = app.plan.problems
    assert answer.status_code == 200
    assert (problem.file, problem.field) == ("steps/trace_step.py", "method")


@rule(
    "2.1",
    "`bodySchema` is not enforced: any body reaches the handler",
    better="Where a Step has `validateBody`, or the app the setting `validate_body`, other bodies "
    "are answered with 400 and the place of each fault",
)
@rule("2.1", "`responseSchema` is not enforced either; its statuses may be numbers or text")
async def test_bodies_are_not_validated(project: Path) -> None:
    async with StepTester(project) as app:
        missing = await app.client.post("/register", json={"address": {"zip": 7}})
        extra = await app.client.post("/register", json={"email": 5, "more": 1})
        documented = (await openapi(app))["paths"]["/register"]["post"]["responses"]
    assert (missing.status_code, missing.json()) == (400, {"problem": "Who are you?"})
    assert (extra.status_code, extra.json()) == (200, {"unexpected": {"email": 5, "more": 1}})
    assert sorted(documented) == ["200", "400"]
    async with StepTester(project, validate_body=True) as app:
        checked = await app.client.post("/register", json={"address": {"zip": 7}})
        assert await app.runs() == []
    assert checked.status_code == 400
    assert checked.json()["error"] == "Validation failed"
    assert {detail["path"] for detail in checked.json()["details"]} == {"/email", "/address/zip"}


@rule("2.1", "Schemas in Python are JSON Schema, such as a model's `model_json_schema()`")
@rule(
    "2.1",
    "`generate openapi` writes down the Steps' descriptions and schemas",
    better="The app serves the document too, at `/openapi.json`, with path parameters and flows",
)
async def test_schemas_in_python(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/products", json={"sku": "a", "price": 1})
        document = await openapi(app)
    operation = document["paths"]["/products"]["post"]
    assert answer.status_code == 201
    assert (operation["description"], operation["tags"]) == ("Adds a product", ["shop"])
    assert _properties(document, operation["requestBody"]) == {"sku", "price"}
    assert _properties(document, operation["responses"]["201"]) == {"sku", "price"}
    assert _properties(document, operation["responses"]["409"]) == {"error"}


@rule(
    "2.1",
    "A pydantic class as a schema in Python fails, though the templates suggest it",
    better="It is the schema of the class",
)
async def test_schemas_that_are_classes(app: StepTester) -> None:
    async with app:
        document = await openapi(app)
    operation = document["paths"]["/products"]["post"]
    assert _properties(document, operation["requestBody"]) == {"sku", "price"}
    assert _properties(document, operation["responses"]["201"]) == {"sku", "price"}


@rule(
    "2.1",
    "A schema is an object with `properties`, or a list of such; others make the Step invalid",
    better="Any JSON Schema will do, such as a list of texts, or none",
)
async def test_schemas_of_any_shape(app: StepTester) -> None:
    async with app:
        answer = await app.client.put("/tags", json=["a", "b"])
        document = await openapi(app)
        problems = app.plan.problems
    content = document["paths"]["/tags"]["put"]["requestBody"]["content"]
    assert answer.json() == {"a": 1, "b": 1}
    assert _resolved(document, content["application/json"]["schema"])["items"] == {"type": "string"}
    assert problems == ()


@rule("2.1", "A schema that says nothing, such as `{'error': 'string'}`, is taken as it is")
async def test_schemas_that_are_loose(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/pay", json={"amount": "much"})
        document = await openapi(app)
        assert app.plan.problems == ()
    assert answer.json() == {"amount": "much"}
    assert set(document["paths"]["/pay"]["post"]["responses"]) == {"200", "404"}


@rule("2.1", "`queryParams` describe parameters in OpenAPI; nothing is checked by them")
async def test_query_params_are_only_described(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/orders?other=1")
        document = await openapi(app)
    described = document["paths"]["/orders"]["get"]["parameters"]
    assert answer.json() == {"other": "1"}
    assert [(one["name"], one["description"], one["in"]) for one in described] == [
        ("status", "Only those", "query"),
        ("page", "From 1", "query"),
    ]


@rule(
    "2.1",
    "`emits` is required, be it empty",
    better="It may be left out, as Motia's documentation does: that is an empty list",
)
async def test_emits_may_be_missing(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/api")
        await app.tick("Cron")
        runs = await app.settle()
    assert answer.status_code == 200
    assert sorted(run.step for run in runs) == ["Api", "Cron", "Event"]
    assert {run.status for run in runs} == {"completed"}


@rule("2.1", "`includeFiles` changes nothing where the project runs: its files are all there")
async def test_include_files(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/welcome")
        assert app.plan.problems == ()
    assert answer.text == "Welcome!"


@rule(
    "2.1",
    "A key that is not known makes the Step invalid",
    better="The Step runs, and `check` names the key",
)
async def test_unknown_keys(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/typo")
        (problem,) = app.plan.problems
    assert answer.status_code == 200
    assert (problem.severity, problem.field) == ("warning", "responseSchemas")


@rule("2.1", "A Step whose config is not valid is left out, with a line for each field; others run")
async def test_a_config_that_is_not_valid(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        answers = [await app.client.get(path) for path in ("/good", "/bad")]
        fields = {problem.field for problem in app.plan.problems}
    assert [answer.status_code for answer in answers] == [200, 404]
    assert fields == {"emits.0.topic", "flows"}


@rule(
    "2.1",
    "Of two paths that match a request the one wins whose file was found first",
    different="The more specific one wins, whatever the files are called: `/users/me` before "
    "`/users/:id`. Order among equals is Motia's",
)
async def test_the_first_route_wins(app: StepTester) -> None:
    async with app:
        paths = ("/users/me", "/users/7", "/orders/7/items", "/orders/7/notes")
        answers = [await app.client.get(path) for path in paths]
    found = [answer.json()["step"] for answer in answers]
    assert found == ["Me", "AnyUser", "Items", "AnyPart"]


@rule(
    "2.1",
    "Of two Steps with the same method and path the one found first answers",
    better="`check` names the other one, not only a build",
)
async def test_the_same_route_twice(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        answer = await app.client.get("/same")
        (problem,) = app.plan.problems
    assert answer.json() == {"step": "First"}
    assert (problem.file, "already taken" in problem.what) == ("steps/b_second_step.py", True)


@rule(
    "2.1",
    "`infrastructure` makes an api Step invalid",
    better="Its `handler` part counts: a request is answered with 504 after the timeout",
)
async def test_infrastructure_of_api_steps(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/slow")
    assert answer.status_code == 504


@rule("2.1", "In TypeScript schemas are written with zod, alone or in lists, or as JSON Schema")
@rule("2.1", "Configs in TypeScript have the same fields, and may use what the project imports")
@rule("2.6", "`virtualEmits` and `virtualSubscribes` of TypeScript Steps are drawn")
async def test_configs_in_typescript(project: Path, npm_packages: Path) -> None:
    (project / "node_modules").symlink_to(npm_packages, target_is_directory=True)
    async with StepTester(project, now=datetime(2030, 1, 1)) as app:
        assert app.plan.problems == ()
        document = await openapi(app)
        created = await app.client.post("/ts/users/acme", json={"name": 7})
        listed = await app.client.get("/ts/users")
        await app.emit("user.created.ts", {"name": "Ada"})
        await app.advance(5)
        await app.advance(60)
        runs = [run.step for run in await app.settle()]
        public = await app.may_join("users", {"groupId": "public"})
        secret = await app.may_join("users", {"groupId": "secret"}, {"role": "guest"})
        admin = await app.may_join("users", {"groupId": "secret"}, {"role": "admin"})
        hear, (flow,) = app.plan.step("HearUserTs"), app.plan.flows
    operation = document["paths"]["/ts/users/{tenant}"]["post"]
    assert _properties(document, operation["requestBody"]) == {"name", "age"}
    assert _properties(document, operation["responses"]["400"]) == {"error"}
    assert {one["name"] for one in operation["parameters"]} == {"tenant", "notify"}
    schema = document["paths"]["/ts/users"]["get"]["responses"]["200"]["content"]
    users = _resolved(document, schema["application/json"]["schema"])
    assert users["type"] == "array"
    assert set(users["items"]["properties"]) == {"name", "age"}
    assert (created.status_code, created.json()) == (201, {"name": 7})
    assert listed.text == "not a list at all"
    assert runs.count("HearUserTs") == 1
    assert runs.count("NightlyTs") == 2
    assert (public, secret, admin) == (True, False, True)
    assert hear is not None
    assert (hear.retry.max_attempts, hear.queue.concurrency, hear.timeout_seconds) == (2, 2, 30)
    assert set(flow.steps) == {"CreateUserTs", "WebhookTs"}
    drawn = {(edge.source, edge.target, edge.topic, edge.virtual) for edge in flow.edges}
    assert drawn == {
        ("CreateUserTs", "WebhookTs", "mail.sent", True),
        ("WebhookTs", "CreateUserTs", "user.requested", True),
    }


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _properties(document: dict[str, Any], part: dict[str, Any]) -> set[str]:
    return set(_resolved(document, part["content"]["application/json"]["schema"])["properties"])
