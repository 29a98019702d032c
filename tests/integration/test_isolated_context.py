"""What an isolated handler gets and gives: the same as in the shared process."""

from __future__ import annotations

import pytest
import pytest_asyncio
from integration.isolated import App, write_steps

from motia_celery.context.request import Request, Upload
from motia_celery.model.run import Failure, Success
from motia_celery.run.responses import build_response

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(request, tmp_path_factory):
    """One app for all; a parameter says whether it is strict about what is emitted."""
    root = write_steps(tmp_path_factory.mktemp("isolated").resolve() / "app")
    made = App(root, strict_emits=getattr(request, "param", False))
    yield made
    await made.close()


@pytest.fixture(autouse=True)
def nothing_emitted(app):
    app.exchange.events.clear()


def told(outcome):
    """What counts of an outcome."""
    if isinstance(outcome, Failure):
        error = outcome.error
        return error.type, error.message, error.where, error.traceback.splitlines()[-1:]
    return outcome.result


@pytest.mark.parametrize(
    "act",
    [
        "state",
        "more_state",
        "bad_life",
        "bad_update",
        "streams",
        "bad_item",
        "bad_stream",
        "bad_value",
        "bad_event",
        "no_topic",
        "undeclared",
        "forgets",
        "catches",
        "raises",
        "exits",
        "ids",
        "not-there",
    ],
)
@pytest.mark.parametrize("app", [False, True], ids=["lax", "strict"], indirect=True, scope="module")
async def test_the_context_is_the_same_in_both(app, act, caplog):
    outcomes, events, lines = [], [], []
    for isolated in (False, True):
        caplog.clear()
        app.exchange.events.clear()
        for group in ("g", "h"):
            await app.state.clear(group)
        outcomes.append(told(await app.act(act, isolated=isolated)))
        events.append(
            [(e.topic, e.data, e.group, e.parent_id, e.root_id) for e in app.exchange.events]
        )
        lines.append([r.getMessage() for r in caplog.records if r.name == "motia_celery.step"])
    assert outcomes[0] == outcomes[1]
    assert events[0] == events[1]
    assert lines[0] == lines[1]


@pytest.mark.parametrize("act", ["thing", "raw", "nothing"])
async def test_a_response_is_the_same_in_both(app, act):
    results = [
        (await app.act(act, isolated=isolated, trigger="http")).result for isolated in (False, True)
    ]
    if results[0] is None:
        assert results[1] is None
    else:
        assert build_response(results[0]) == build_response(results[1])


async def test_a_result_that_can_not_cross_fails_a_request_and_no_event(app):
    outcome = await app.act("odd", trigger="http")
    assert outcome.error.type == "FrameError"
    assert "object" in outcome.error.message
    assert await app.act("odd") == Success(None)


async def test_a_request_is_the_same_in_both(app):
    def request():
        file = Upload(filename="f.png", contentType="image/png", content=b"\x00\xff", size=2)
        values = {
            "pathParams": {"id": "7"},
            "queryParams": {"act": "request"},
            "body": {"f": file},
            "headers": {},
            "rawBody": "",
            "files": {"f": file},
        }
        return Request(values, method="PUT", path="/files/7", raw_bytes=b"\x00" * 5)

    shared, isolated = [
        await app.run("a", request(), isolated=isolated, trigger="http")
        for isolated in (False, True)
    ]
    assert shared == isolated
    assert isinstance(shared, Success), shared
    assert shared.result["body"][:4] == ["PUT", "/files/7", 5, ""]


async def test_a_typed_config(app):
    assert await app.run("typed", {"id": 7}) == Success(7)


async def test_a_plain_def_handler_in_its_thread(app, caplog):
    caplog.set_level("INFO")
    assert await app.run("threaded") == Success({"n": 1})
    assert "in a thread" in caplog.text
    assert app.exchange.events[0].data == "from a thread"
