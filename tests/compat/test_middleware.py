"""Middleware: section 4."""

from __future__ import annotations

from compat.rules import rule

from motia_celery.testing import StepTester


async def lines(app: StepTester) -> list[str]:
    """What was logged, of runs that have ended."""
    await app.settle()
    return [line.message for line in await app.logs()]


@rule(
    "4",
    "`middleware` is a list of `async def (req, context, next_fn)`, from the outer to the "
    "inner one; what stands after `await next_fn()` runs once the rest is done",
)
async def test_middleware_is_listed_from_outer_to_inner(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/guarded")
        logged = await lines(app)
    assert answer.status_code == 200
    assert logged == ["before outer", "before inner", "handler", "after inner", "after outer"]


@rule(
    "4",
    "What middleware puts into the request, `req['user'] = …`, is there for the next ones "
    "and for the handler",
)
@rule(
    "4", "Middleware may be imported from the project's modules, and is of the Steps that list it"
)
async def test_middleware_shares_the_request(app: StepTester) -> None:
    async with app:
        mine = await app.client.get("/profile", headers={"Authorization": "Bearer ada"})
        stranger = await app.client.get("/profile")
        public = await app.client.get("/public")
    assert mine.json() == {"user": {"id": "ada"}, "tenant": "tenant-of-ada"}
    assert (stranger.status_code, stranger.json()) == (401, {"error": "Unauthorized"})
    assert public.json() == {"user": None}


@rule(
    "4",
    "Middleware that returns without `next_fn` ends the request: what it returns is the "
    "response, and nothing inside of it runs",
)
async def test_middleware_that_does_not_go_on(app: StepTester) -> None:
    async with app:
        refused = await app.client.get("/limited?many=1")
        assert await lines(app) == []
        passed = await app.client.get("/limited")
        logged = await lines(app)
    assert (refused.status_code, refused.json()) == (429, {"error": "Slow down"})
    assert refused.headers["retry-after"] == "60"
    assert (passed.status_code, logged) == (200, ["inner", "handler"])


@rule(
    "4",
    "What middleware returns is the response, so that it may change the handler's: status, "
    "headers and body",
)
async def test_middleware_changes_the_response(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/page")
    assert answer.json() == {"data": [1, 2]}
    assert (answer.headers["x-wrapped"], answer.headers["x-own"]) == ("yes", "1")


@rule("4", "Middleware may change the body and the other parts of the request in place")
async def test_middleware_changes_the_body(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/save?a=b", json={"name": "  Ada "})
    assert answer.json() == {"name": "Ada", "query": {"a": "b", "seen": "1"}}


@rule(
    "4",
    "A handler's error is raised by `next_fn`, so that middleware may answer it; one that "
    "nobody catches, middleware's own too, is the 500",
)
async def test_errors_go_through_middleware(app: StepTester) -> None:
    async with app:
        handled = await app.client.get("/errors")
        broken = await app.client.get("/errors?broken=1")
        crashed = await app.client.get("/errors?crash=1")
        runs = [(run.status, run.error and run.error.message) for run in await app.settle()]
    assert (handled.status_code, handled.json()) == (404, {"error": "no such thing"})
    for answer in (broken, crashed):
        assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})
    assert runs == [
        ("completed", None),
        ("failed", "middleware failed"),
        ("failed", "crash"),
    ]


@rule("4", "Middleware that returns nothing answers the 500, whatever the handler returned")
async def test_middleware_that_returns_nothing(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/forgetful")
        logged = await lines(app)
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})
    assert logged == ["handler"]


@rule(
    "4",
    "Middleware has the handler's context: the same trace, its state and logger, and emits "
    "of the topics that the Step declares",
)
async def test_middleware_has_the_context(app: StepTester) -> None:
    async with app:
        answers = [(await app.client.get("/metered")).json()["trace"] for _ in range(2)]
        runs = await app.settle()
        counted = await app.state.get("meter", "calls")
    heard = [run.input["trace"] for run in runs if run.step == "Hear"]
    assert sorted(heard) == sorted(answers)
    assert counted == {"n": 2}


@rule(
    "4",
    "In Python `next_fn(other)` gives another request to the next middleware; the handler "
    "still gets the one that came",
)
async def test_middleware_replaces_the_request(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/replaced")
        await app.settle()
        (line,) = await app.logs()
    assert (line.data, answer.json()) == ({"from": "first"}, {"from": None})


@rule(
    "4",
    "An argument to the `next_fn` of the last middleware is an error",
    better="It is none; the handler gets the request that came",
)
async def test_the_last_middleware_replaces_nothing(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/replaced")
    assert (answer.status_code, answer.json()) == (200, {"from": None})


@rule(
    "4",
    "A plain `def` as middleware in Python fails",
    better="It may be one, and return what `next_fn` gives",
)
async def test_middleware_that_is_not_async(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/plain")
    assert answer.json() == {"stamp": "here"}


@rule("4", "In Python an event Step's `middleware` runs too, with the data in place of the request")
async def test_middleware_of_an_event_step(app: StepTester) -> None:
    async with app:
        await app.emit("heard", {"id": 1})
        (run,) = await app.settle()
        logged = await lines(app)
        assert app.plan.problems == ()
    assert (run.status, logged) == ("completed", ["before", "handler"])


@rule(
    "4",
    "In TypeScript middleware is `async (req, ctx, next)`, by the same rules: order, one "
    "shared `req`, short-circuit, errors, responses",
)
@rule("4", "Files may import `ApiMiddleware` from `motia`, and extend `ApiRequest` in its module")
async def test_middleware_in_typescript(app: StepTester) -> None:
    ada = {"authorization": "ada"}
    async with app:
        stranger = await app.client.get("/admin/x")
        assert await lines(app) == ["before", "after"]
        mine = await app.client.get("/admin/x", headers=ada)
        known = await app.client.get("/admin/known", headers=ada)
        failed = await app.client.get("/admin/fail", headers=ada)
        silent = await app.client.get("/silent")
        runs = await app.settle()
    assert (stranger.status_code, stranger.headers["x-timed"]) == (401, "yes")
    assert (mine.status_code, mine.json()) == (200, {"user": {"id": "ada"}, "what": "x"})
    assert mine.headers["x-timed"] == "yes"
    assert (known.status_code, known.json()) == (409, {"error": "known"})
    assert failed.status_code == silent.status_code == 500
    assert len([run for run in runs if run.step == "HearAdmin"]) == 3


@rule(
    "4",
    "What is around all Steps is middleware of Express, given to `app` in `motia.config.ts`",
    different="There is no Express: `app` is not called, and `check` says so. `middleware` in the "
    "config file is around all API Steps, in any language",
)
async def test_middleware_for_all_steps(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/home")
        (problem,) = app.plan.problems
    assert (answer.status_code, "x-express" in answer.headers) == (200, False)
    assert (problem.file, problem.severity) == ("motia.config.ts", "warning")


@rule(
    "4",
    "What middleware puts into the request may be anything, such as a client of a database; the "
    "handler gets that very object",
)
async def test_objects_in_the_request(app: StepTester) -> None:
    async with app:
        answers = [
            await app.client.get(path, headers={"x-tenant": "acme"})
            for path in ("/customers/7", "/ts/customers/7")
        ]
        statuses = [run.status for run in await app.settle()]
    assert [answer.json() for answer in answers] == [{"id": "7", "tenant": "acme"}] * 2
    assert statuses == ["completed"] * 2
