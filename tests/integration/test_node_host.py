"""TypeScript and JavaScript Steps in a real Node process; the files are in ``tests/hostile``."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from motia_celery.context import Services
from motia_celery.discover import discover
from motia_celery.model.run import Failure, Run, Success
from motia_celery.model.trace import Trace
from motia_celery.runtime.access import Access
from motia_celery.runtime.invoke import Invoker
from motia_celery.runtime.node import NodeHost, find_node
from motia_celery.runtime.python import PythonHost
from motia_celery.stores.memory_state import MemoryState
from motia_celery.stores.memory_streams import MemoryStreams

HOSTILE = Path(__file__).parents[1] / "hostile"


class Exchange:
    def __init__(self):
        self.events = []

    async def emit(self, event, options, **more):
        await asyncio.sleep(0.01)
        self.events.append(event)


class App:
    """A project in TypeScript and JavaScript, ready to run."""

    def __init__(self, root, **options):
        assert find_node(), "Node 20.11 or newer is needed: https://nodejs.org"
        self.root = root
        self.node = NodeHost(root, **{"cancel_grace_seconds": 0.5, **options})
        self.python = PythonHost(root, threads=1)
        self.found = discover(root, self.python, self.node)
        self.exchange, self.state, self.streams = Exchange(), MemoryState(), MemoryStreams()
        self.steps = {step.name: step for step in self.found.steps}

    def problem(self, file):
        (problem,) = [p for p in self.found.problems if p.file == file]
        return problem

    async def run(self, name, data=None, trigger="event", timeout_seconds=None):
        steps = {name: replace(self.steps[name], timeout_seconds=timeout_seconds)}
        services = Services(
            emitter=self.exchange,
            state=self.state,
            streams=self.streams,
            stream_names=frozenset(stream.name for stream in self.found.streams),
        )
        hosts = dict.fromkeys(("typescript", "javascript"), self.node)
        invoker = Invoker(steps, hosts, services, self.root)
        run = Run(id="r", step=name, trigger=trigger, input=data, trace=Trace.start(), flows=("f",))
        return await asyncio.wait_for(invoker.invoke(run), 60)

    async def act(self, act, timeout_seconds=None, **data):
        return await self.run("behaviour", {"act": act, **data}, timeout_seconds=timeout_seconds)


def package(root, name, files):
    folder = root / "node_modules" / name
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(text)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    root = tmp_path_factory.mktemp("node") / "app"
    shutil.copytree(HOSTILE, root, ignore=shutil.ignore_patterns(".motia"))
    package(
        root,
        "esm-only",
        {
            "package.json": '{"name": "esm-only", "type": "module", "exports": "./i.js"}',
            "i.js": "export default 'esm'",
        },
    )
    package(
        root,
        "old-package",
        {
            "package.json": '{"name": "old-package", "main": "i.js"}',
            "i.js": "exports.named = 'n'",
            "deep.js": "module.exports = 'deep'",
        },
    )
    return root


@pytest.fixture
async def app(hostile):
    made = App(hostile)
    yield made
    await made.node.aclose()
    made.python.close()


async def result(app, name, data=None):
    outcome = await app.run(name, data)
    assert isinstance(outcome, Success), outcome
    return outcome.result


async def test_imports_without_extension_of_folders_js_for_ts_aliases_and_json(app):
    found = await result(app, "imports", {})
    assert len(found.pop("trace")) == 32
    assert found == {
        "place": "folder index",
        "compiled": "ts behind js",
        "exact": "exact",
        "based": "folder index",
        "value": 7,
        "folder": str(app.root / "lib"),
        "shout": "A!",
        "same": True,
    }


async def test_enums_parameter_properties_and_satisfies(app):
    assert await result(app, "syntax") == {"color": "blue", "size": 2, "sum": 3, "v": 3}


async def test_more_of_typescripts_syntax(app):
    assert await result(app, "more") == {
        "taken": 1,
        "name": "derived",
        "untouched": False,
        "over": "a",
        "shout": "M!",
        "base": "more.step.ts",
        "both": 3,
        "back": "Both",
        "any": 2,
    }


async def test_commonjs_steps_require_typescript_and_modules_import_commonjs(app):
    folder = str(app.root / "steps")
    assert await result(app, "commonjs") == {
        "old": "old",
        "here": str(app.root / "lib/old.cjs"),
        "shout": "B!",
        "dir": folder,
    }
    expected = {"old": "old", "shout": "C!", "answer": 42, "base": "typed.cts"}
    assert await result(app, "module") == expected
    assert await result(app, "mts") == "mts"


async def test_require_and_the_places_of_the_source_file_in_typescript(app):
    file = app.root / "steps" / "require.step.ts"
    assert await result(app, "require") == {
        "dirname": str(file.parent),
        "filename": str(file),
        "meta": str(file.parent),
        "metaFile": str(file),
        "url": file.as_uri(),
        "base": file.name,
        "shout": "D!",
        "cwd": str(app.root),
        "exists": True,
    }
    own = {"os": "function", "__dirname": str(file.parent)}
    assert await result(app, "own-require") == own


async def test_top_level_await_and_dynamic_import(app):
    assert await result(app, "await") == {"late": "late", "waited": "top", "again": "folder index"}


async def test_default_exports_packages_and_motia_without_its_package(app):
    assert await result(app, "default", {"n": 1}) == {"n": 2}
    assert await result(app, "stub") == {"schema": {"a": 1}}
    expected = {"only": "esm", "both": "n", "named": "n", "deep": "deep"}
    assert await result(app, "packages") == expected


@pytest.mark.parametrize(
    ("file", "line", "what", "fix"),
    [
        ("steps/broken.step.ts", 3, "syntax error", "Correct"),
        ("steps/namespace.step.ts", 3, "namespaces", "Correct"),
        ("steps/decorator.step.ts", 2, "decorators", "Correct"),
        ("steps/throws.step.ts", 3, "NOT_SET_ANYWHERE is missing", ".env"),
        ("steps/missing_package.step.ts", None, "not-installed-here", "npm install not-installed"),
        ("steps/missing_file.step.ts", None, "not-there", "no such file"),
        ("steps/exits_step.js", 1, "process.exit(3)", "must not end"),
        ("steps/no_config.step.ts", None, "no config", "Export a config"),
        ("steps/generator.step.ts", None, "Generator", "Export a function"),
    ],
)
def test_a_bad_file_is_a_problem_with_its_place_and_the_others_run(app, file, line, what, fix):
    problem = app.problem(file)
    assert problem.line == line
    assert what in problem.what
    assert fix in problem.fix
    assert "behaviour" in app.steps


def test_a_stream_file_is_read_with_its_access_rule(app):
    streams = {stream.name: stream for stream in app.found.streams}
    assert streams["chat"].language == "typescript"
    assert all(stream.has_access_rule for stream in streams.values())
    problems = [p for p in app.found.problems if p.file == "steps/wrong_rule.stream.ts"]
    storage, rule = sorted(problems, key=lambda problem: problem.field)
    assert rule.what == "canAccess is no function but string"
    assert (storage.severity, "'custom'" in storage.what) == ("warning", True)


async def test_an_access_rule_is_asked_and_its_faults_deny(app, caplog):
    hosts = dict.fromkeys(("typescript", "javascript"), app.node)
    access, hasty = (Access(app.found.streams, hosts, seconds) for seconds in (30, 0.1))
    ann, one = {"user": "ann"}, {"groupId": "g", "id": "1"}
    assert await access.allows("rules", one, ann) is True
    assert await access.allows("rules", {"groupId": "g"}, ann) is False
    assert await access.allows("rules", one, None) is False
    assert await access.allows("rules", {"groupId": "anonymous"}, None) is True
    assert await access.allows("rules", {"groupId": "truthy"}, None) is True
    assert await access.allows("chat", one, None) is True
    assert await access.allows("wrong", one, ann) is False
    assert await access.allows("rules", {"groupId": "throws"}, ann) is False
    assert "TypeError: no such group (steps/rules_stream.js:7)" in caplog.text
    assert await hasty.allows("rules", {"groupId": "never"}, ann) is False
    assert "longer than 0.1 s" in caplog.text
    assert await access.allows("rules", one, ann) is True


def test_a_file_that_takes_node_down_harms_itself_alone(tmp_path):
    steps = tmp_path / "steps"
    steps.mkdir()
    (steps / "bad_step.js").write_text("process.kill(process.pid, 'SIGKILL')")
    (steps / "good_step.js").write_text("exports.config = {type: 'noop', name: 'good'}")
    app = App(tmp_path)
    assert [*app.steps] == ["good"]
    assert "ends its process (signal 9)" in app.problem("steps/bad_step.js").what


async def test_values_cross_as_they_are(app):
    for value in (None, 1.5, "ä\u2028", [1, {"a": None}], {"$bytes": "no"}, {"$object": {"a": 1}}):
        assert await app.act("echo", value=value) == Success(value)
    assert await app.act("echo", value=b"\x00\xff") == Success(b"\x00\xff")
    assert await app.act("sync") == Success("text")
    assert await app.act("nothing") == Success(None)
    assert await app.act("buffer") == Success({"status": 200, "body": b"\x00\x01\xff"})
    assert await app.act("typed") == Success({"body": b"\x01\x00\x02\x00"})
    own = ["1970-01-01T00:00:00.000Z", {"$bytes": "AA=="}, {}]
    assert await app.act("ownJson") == Success(own)
    assert await app.act("mixed") == Success({"a": {"b": [{"$object": 1}, {"c": b"\x07"}]}})
    big = "x" * 10_000_000
    assert await app.act("echo", value=big) == Success(big)


async def test_errors_cross_with_their_name_message_and_line(app):
    outcome = await app.act("throws")
    assert isinstance(outcome, Failure)
    error = outcome.error
    assert (error.type, error.message) == ("OwnError", "own words")
    assert error.where == "steps/behaviour.step.ts:14"
    assert "behaviour.step.ts:14" in error.traceback
    assert "host.mjs" not in error.traceback
    for act, message in (("string", "only text"), ("timer", "in a timer"), ("cycle", "circular")):
        outcome = await app.act(act)
        assert isinstance(outcome, Failure)
        assert message in outcome.error.message


async def test_state(app):
    found = await result(app, "behaviour", {"act": "state"})
    assert found == {"before": None, "group": 2, "removed": {"n": 1}, "after": []}


async def test_streams(app):
    found = await result(app, "behaviour", {"act": "streams"})
    marker = {"type": "state-stream", "streamName": "chat", "groupId": "g", "id": "a"}
    one, two = ({"n": n, "id": "a", "__motia": marker} for n in (1, 2))
    assert "bytes at .raw has no JSON form" in found.pop("faults")[0]
    assert found == {
        "created": one,
        "nothing": None,
        "update": {"old_value": one, "new_value": two},
        "group": [two],
        "same": True,
        "removed": two,
        "again": None,
    }


async def test_an_unknown_stream_is_an_error_at_its_line(app):
    outcome = await app.act("unknownStream")
    assert outcome.error.type == "UnknownStreamError"
    assert "Did you mean 'chat'?" in outcome.error.message
    assert outcome.error.where.startswith("steps/behaviour.step.ts:")


async def test_a_stream_call_that_nobody_awaits_is_finished(app):
    assert await app.act("unawaitedStream") == Success(None)
    assert await app.streams.get("chat", "g", "late") == {"n": 1, "id": "late"}


async def test_what_state_has_beyond_motias(app):
    found = await result(app, "behaviour", {"act": "stateMore"})
    fault, refused = found.pop("faults")
    assert fault == "UpdateError"
    assert "bytes at .raw has no JSON form" in refused
    assert found == {
        "update": {"old_value": None, "new_value": {"n": 2, "list": []}},
        "swapped": True,
        "again": False,
        "list": [{"n": 2, "list": []}, "mine"],
        "groups": ["m"],
    }


async def test_calls_that_nobody_awaits_are_finished_and_fail_the_run(app):
    assert await app.act("unawaited") == Success(None)
    assert await app.state.get("g", "k") == 1
    assert [(event.topic, event.data) for event in app.exchange.events] == [("t", {"a": 1})]
    outcome = await app.act("unawaitedFails")
    assert isinstance(outcome, Failure)
    assert outcome.error.type == "ConfigError"
    assert (await app.act("catches")).result.startswith("ConfigError: ")


async def test_the_logger_writes_to_the_runs_log(app, caplog):
    caplog.set_level(logging.DEBUG)
    assert await app.act("log") == Success(None)
    assert "said" in caplog.text
    assert "plain" in caplog.text


async def test_cron_gets_the_context_alone_and_middleware_wraps_the_handler(app):
    outcome = await app.run("cron", trigger="cron")
    assert len(outcome.result) == 32
    answer = await app.run("middleware", {"body": {}}, "http")
    assert answer == Success({"status": 200, "body": "ann", "headers": {"x-first": "yes"}})
    stopped = await app.run("middleware", {"stop": True}, "http")
    assert stopped.result["status"] == 403


async def test_a_handler_that_waits_for_ever_is_cut_and_its_neighbours_go_on(app):
    await app.act("sync")
    neighbour = asyncio.create_task(app.act("sleep", ms=400))
    pid = app.node.pid
    outcome = await app.act("never", timeout_seconds=0.1)
    assert outcome.error.type == "RunTimeoutError"
    assert await neighbour == Success(400)
    await asyncio.sleep(0.7)
    assert app.node.pid == pid


async def test_a_busy_handler_is_cut_by_a_restart(app):
    await app.act("sync")
    pid = app.node.pid
    outcome = await app.act("busy", timeout_seconds=0.2)
    assert outcome.error.type == "RunTimeoutError"
    answers = [await app.act("sync") for _ in range(2)]  # the first may go down with the busy one
    assert answers[1] == Success("text")
    assert app.node.pid != pid


async def test_a_handler_that_computes_for_long_is_told_of_and_not_cut(hostile, caplog):
    """A ping asks a silent Node process; one whose handlers only wait answers it."""
    app = App(hostile, silence_seconds=0.7)
    assert await app.act("sleep", ms=2500) == Success(2500)
    assert "has not answered" not in caplog.text
    outcomes = await asyncio.gather(app.act("spin", ms=4000), app.act("sync"))
    assert outcomes == [Success("spun"), Success("text")]
    (warning,) = [r for r in caplog.records if "has not answered" in r.getMessage()]
    assert "it runs behaviour" in warning.getMessage()
    assert warning.action == "host.silent"
    await app.node.aclose()


async def test_a_crash_fails_the_calls_in_flight_and_the_next_one_works(app):
    await app.act("sync")
    waiting = [asyncio.create_task(app.act("sleep", ms=5000)) for _ in range(20)]
    await asyncio.sleep(0.1)
    os.kill(app.node.pid, signal.SIGKILL)
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting), 2)
    assert {outcome.error.type for outcome in outcomes} == {"HostDiedError"}
    assert await app.act("sync") == Success("text")
    outcome = await app.act("exit")
    assert "must not end its process" in outcome.error.message


async def test_thousands_of_calls_many_at_once(app):
    slots = asyncio.Semaphore(200)

    async def one(number):
        async with slots:
            return (await app.act("echo", value=number)).result

    assert await asyncio.gather(*(one(n) for n in range(5000))) == [*range(5000)]


async def test_a_handler_that_takes_too_much_memory_ends_node_and_the_next_call_works(hostile):
    app = App(hostile, memory_mb=64)
    outcome = await app.act("hog")
    assert outcome.error.type == "HostDiedError"
    assert await app.act("sync") == Success("text")
    await app.node.aclose()


# What dev reads once for all its processes

_MARKED = """
import { appendFileSync } from 'node:fs';
appendFileSync(`${process.cwd()}/loads`, 'x');
export const config = { type: 'event', name: 'marked', subscribes: ['x'], emits: [] };
export const handler = async () => 'good';
"""


async def test_what_is_known_of_files_is_not_read_again(tmp_path):
    """One process reads the files; the others of the app go by what it found."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "marked.step.ts").write_text(_MARKED)
    first = App(tmp_path)
    second = NodeHost(tmp_path)
    second.told = pickle.loads(pickle.dumps(dict(first.node.told)))

    found = discover(tmp_path, first.python, second)

    assert [step.name for step in found.steps] == ["marked"]
    assert (tmp_path / "loads").read_text() == "x"


async def test_a_warm_host_has_its_files_before_the_first_call(tmp_path):
    """A broken save does not reach a process that has been told to load."""
    (tmp_path / "steps").mkdir()
    file = tmp_path / "steps" / "marked.step.ts"
    file.write_text(_MARKED)
    app = App(tmp_path)
    try:
        await app.node.warm(["marked", "of another language"])
        async with asyncio.timeout(60):
            while (tmp_path / "loads").read_text() != "xx":
                await asyncio.sleep(0.05)
        file.write_text("export const config = {")
        assert await app.run("marked") == Success("good")
    finally:
        await app.node.aclose()
