"""Every host speaks the protocol of ``docs/frames.md``.

A new language needs a row in :data:`HOSTS` and the Step files of ``tests/conformance`` in a folder
of its own.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.frames import RUN, Parent

from motia_celery.errors import HostDiedError
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.process import HostCommand, Link
from motia_celery.runtime.pythonhost import python_command
from motia_celery.runtime.ruby import RubyHost

FILES = Path(__file__).parents[1] / "conformance"


@dataclass(frozen=True)
class Language:
    """A host: how it is started in a project's root, and what its files are called."""

    command: Callable[[Path], Sequence[str]]
    suffix: str
    tells: str


def _node(root: Path) -> Sequence[str]:
    return NodeHost(root).command().arguments


def _ruby(root: Path) -> Sequence[str]:
    return RubyHost(root).command().arguments


def _python(root: Path) -> Sequence[str]:
    return python_command(root, stream_names=["chat"]).arguments


HOSTS = {
    "typescript": Language(_node, ".step.ts", "javascript"),
    "ruby": Language(_ruby, "_step.rb", "ruby"),
    "python": Language(_python, "_step.py", "python"),
}


@pytest.fixture(params=HOSTS)
def language(request: pytest.FixtureRequest) -> Language:
    return HOSTS[request.param]


@pytest.fixture
def start(
    language: Language, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Parent]]:
    """Starts a host, not greeted yet."""
    root = tmp_path / "app"
    shutil.copytree(FILES / request.node.callspec.params["language"], root)
    made: list[Parent] = []

    def start() -> Parent:
        arguments = [*language.command(root)]
        output = tmp_path / f"{len(made)}.out"
        made.append(Parent(arguments, root, language.suffix, output))
        return made[-1]

    yield start
    for parent in made:
        parent.close()


@pytest.fixture
def host(start: Callable[[], Parent]) -> Parent:
    parent = start()
    parent.greet()
    return parent


def said(request: dict[str, Any]) -> tuple[str, list[Any]]:
    """The method and its arguments; a last one without any option may be left out."""
    *arguments, last = request["args"] or [{}]
    return request["method"], arguments if last == {} else [*arguments, last]


def test_both_sides_say_hello(start: Callable[[], Parent], language: Language) -> None:
    hello = start().greet()
    version = hello.pop("version")
    assert hello == {"type": "hello", "protocol": 1, "language": language.tells}
    assert version[0].isdigit()


def test_what_a_file_defines(host: Parent) -> None:
    told = host.load("behaviour", "http", "cron", "bare", "chat")
    defined = {name: message["definition"] for name, message in told.items()}
    behaviour = defined["behaviour"]
    assert behaviour["config"] == {
        "type": "event",
        "name": "behaviour",
        "subscribes": ["x"],
        "emits": [],
        "input": {"type": "object", "properties": {"act": {"type": "string"}}},
    }
    assert behaviour["warnings"] == []
    assert (behaviour["hasHandler"], behaviour["hasMiddleware"]) == (True, False)
    assert behaviour["handlerType"]
    assert (defined["http"]["hasMiddleware"], defined["http"]["hasCanAccess"]) == (True, False)
    assert "middleware" not in defined["http"]["config"]
    assert defined["chat"]["hasCanAccess"] is True
    assert defined["chat"]["config"] == {
        "name": "chat",
        "schema": {"type": "object", "properties": {"text": {"type": "string"}}},
        "baseConfig": {"storageType": "default"},
    }
    assert (defined["bare"]["hasHandler"], defined["bare"]["handlerType"]) == (False, "")


def test_a_file_that_throws_harms_no_other(host: Parent) -> None:
    told = host.load("cron", "broken", "absent", "http")
    error = told["broken"]["error"]
    assert error["message"] == "broken on purpose"
    assert (Path(error["file"]).name, error["line"]) == (Path(host.file("broken")).name, 3)
    assert "error" in told["absent"]
    assert "definition" in told["cron"]
    assert "definition" in told["http"]


def test_an_event_handler_gets_its_data_and_context(host: Parent) -> None:
    assert host.value("echo", value={"a": [1, "ä\u2028", None]}) == {"a": [1, "ä\u2028", None]}
    assert host.value("ids") == ["a" * 32, "run-1", 2, 4, ["f"], "x"]


def test_an_http_handler_runs_inside_its_middleware_outermost_first(host: Parent) -> None:
    request = {
        "pathParams": {"id": "7"},
        "queryParams": {},
        "body": {"order": []},
        "headers": {},
        "rawBody": "",
    }
    call = host.call_step("http", request, trigger="http", topic=None)
    assert host.last(call)["value"] == {
        "status": 200,
        "body": ["outer", "inner", "7"],
        "headers": {"x-outer": "yes"},
    }
    request["body"] = {"order": [], "stop": True}
    call = host.call_step("http", request, trigger="http", topic=None)
    assert host.last(call)["value"] == {"status": 403, "headers": {"x-outer": "yes"}}


def test_a_cron_handler_gets_the_context_alone(host: Parent) -> None:
    call = host.call_step("cron", None, trigger="cron", topic=None)
    assert host.last(call)["value"] == "run-1"


def test_a_file_is_executed_once_in_a_host(host: Parent) -> None:
    values = [host.last(host.call_step("counter", None))["value"] for _ in range(3)]
    assert values == [1, 2, 3]


def test_a_file_that_can_not_be_loaded_fails_its_calls_alone(host: Parent) -> None:
    message = host.last(host.call_step("broken", None))
    assert message["error"]["message"] == "broken on purpose"
    assert host.value("echo", value=1) == 1


def test_the_methods_of_the_context(host: Parent) -> None:
    asked: list[tuple[str, list[Any]]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(said(request))
        return {"value": {"state.get": {"n": 1}, "state.getGroup": [1, 2]}.get(asked[-1][0])}

    message = host.last(host.call("methods"), answer)
    assert message["value"] == {"found": {"n": 1}, "group": [1, 2]}
    assert asked == [
        ("emit", [{"topic": "t", "data": {"a": 1}, "messageGroupId": "g"}]),
        ("state.set", ["g", "k", {"n": 1}]),
        ("state.get", ["g", "k"]),
        ("state.delete", ["g", "k"]),
        ("state.getGroup", ["g"]),
        ("state.clear", ["g"]),
    ]


def test_the_methods_of_state_and_streams(host: Parent) -> None:
    asked: list[tuple[str, list[Any]]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(said(request))
        method = request["method"]
        old_and_new = {"old_value": None, "new_value": None} if "update" in method else None
        return {"value": [] if method.endswith(("Group", "Groups")) else old_and_new}

    assert host.last(host.call("more_methods"), answer)["type"] == "result"
    ops = [{"type": "increment", "path": "n", "by": 1}]
    assert asked == [
        ("state.set", ["g", "k", 1, {"ttlSeconds": 60}]),
        ("state.update", ["g", "k", ops]),
        ("state.compareAndSet", ["g", "k", 1, 2]),
        ("state.listGroups", []),
        ("streams.set", ["chat", "room", "1", {"text": "hi"}]),
        ("streams.get", ["chat", "room", "1"]),
        ("streams.update", ["chat", "room", "1", ops]),
        ("streams.getGroup", ["chat", "room"]),
        ("streams.listGroups", ["chat"]),
        ("streams.send", ["chat", {"groupId": "room"}, {"type": "typing", "data": {"by": "ann"}}]),
        ("streams.delete", ["chat", "room", "1"]),
    ]


def test_an_access_rule_answers_true_or_false_or_fails_or_is_cut(host: Parent) -> None:
    place = {"groupId": "room", "id": "ann"}
    ann, bob = {"user": "ann"}, {"user": "bob"}
    allowed = host.last(host.access(subscription=place, auth=ann))
    denied = host.last(host.access(subscription=place, auth=bob))
    assert [allowed["value"], denied["value"]] == [True, False]
    failed = host.last(host.access(subscription=place, auth=None))
    assert failed["error"]["message"] == "nobody"
    waiting = host.access(subscription={"groupId": "waits"}, auth=ann)
    host.send("cancel", id=waiting)
    assert host.last(waiting)["error"]["name"] == "Cancelled"


def test_hooks_say_whether_a_client_may_join_and_have_a_context(host: Parent) -> None:
    defined = host.load("hooked", "chat")
    assert defined["hooked"]["definition"]["hooks"] == {"onJoin": "function", "onLeave": "function"}
    assert defined["chat"]["definition"]["hooks"] == {}
    asked: list[tuple[str, list[Any]]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(said(request))
        return {"value": "ann"}

    place = {"groupId": "room"}
    allowed = host.last(host.hook("onJoin", place, {"user": "bob"}), answer)
    denied = host.last(host.hook("onJoin", place, {"user": "ann"}), answer)
    assert [allowed["value"], denied["value"]] == [True, False]
    assert host.last(host.hook("onJoin", place, None))["error"]["message"] == "nobody"
    assert "value" in host.last(host.hook("onLeave", place, {"user": "ann"}), answer)
    get = ("state.get", ["joined", "room"])
    assert asked == [get, get, ("state.delete", ["joined", "room"])]


def test_responses_find_their_request_in_any_order(host: Parent) -> None:
    call = host.call("together")
    requests = [host.receive() for _ in range(3)]
    assert len({request["request"] for request in requests}) == 3
    for request in reversed(requests):
        host.respond(request, value=f"value of {request['args'][1]}")
    assert host.last(call)["value"] == ["value of 0", "value of 1", "value of 2"]


def test_an_error_in_a_response_is_raised_in_the_handler(host: Parent) -> None:
    call = host.call("catches")
    host.respond(host.receive(), error={"name": "StoreUnavailableError", "message": "no store"})
    assert host.last(call)["value"] == "caught: no store"


def test_the_result_waits_for_requests_that_nobody_awaited(host: Parent) -> None:
    call = host.call("unawaited")
    first, second = host.receive(), host.receive()
    assert {first["method"], second["method"]} == {"emit", "state.set"}
    host.respond(first, value=None)
    host.send("ping", id=99)
    assert host.receive() == {"type": "pong", "id": 99}  # and no result before it
    host.respond(second, value=None)
    assert host.last(call) == {"type": "result", "id": call, "value": "returned"}


def test_a_failed_request_that_nobody_awaited_fails_the_call(host: Parent) -> None:
    call = host.call("unawaited")
    for _ in range(2):
        host.respond(host.receive(), error={"name": "EmitError", "message": "not confirmed"})
    message = host.last(call)
    assert message["type"] == "error"
    assert (message["error"]["name"], message["error"]["message"]) == ("EmitError", "not confirmed")


def test_an_error_has_its_name_message_code_stack_and_place(host: Parent) -> None:
    file = Path(host.file("behaviour"))
    (line,) = [n for n, text in enumerate(file.read_text().splitlines(), 1) if "own words" in text]
    error = host.last(host.call("throws"))["error"]
    assert (error["name"], error["message"], error["code"]) == ("OwnError", "own words", "OWN")
    assert (error["file"], error["line"]) == (f"steps/{file.name}", line)
    assert file.name in error["stack"]
    assert "motia_celery" not in error["stack"]


def test_lines_of_the_logger(host: Parent) -> None:
    call = host.call("log")
    lines = [host.receive() for _ in range(4)]
    assert [(m["type"], m["id"]) for m in lines] == [("log", call)] * 4
    assert [(m["level"], m["message"], m.get("data")) for m in lines] == [
        ("info", "said", {"a": 1}),
        ("warn", "careful", None),
        ("error", "wrong", {"b": [None]}),
        ("debug", "closely", None),
    ]
    assert host.last(call)["value"] is None


BYTES = {"$bytes": "AAH/"}


@pytest.mark.parametrize(
    "value",
    [
        BYTES,
        {"deep": [BYTES, {"a": BYTES}]},
        {"$object": {"$bytes": "text of the user's"}},
        {"$object": {"$object": 1}},
        {"$object": {"$bytes": BYTES}},
        {"$bytes": "AAH/", "and": "more"},
    ],
)
def test_bytes_and_objects_that_look_like_marks_come_out_unchanged(
    host: Parent, value: Any
) -> None:
    assert host.value("echo", value=value) == value


def test_bytes_in_a_result_and_in_a_value_of_state(host: Parent) -> None:
    assert host.value("returns_bytes") == {"body": BYTES}
    call = host.call("together")
    for _ in range(3):
        host.respond(host.receive(), value=BYTES)
    assert host.last(call)["value"] == [BYTES] * 3


@pytest.mark.parametrize("act", ["large", "asks_large"])
def test_a_frame_above_the_limit_fails_the_one_call(host: Parent, act: str) -> None:
    waiting = host.call("together")
    requests = [host.receive() for _ in range(3)]
    message = host.last(host.call(act, size=2 << 20))
    assert message["type"] == "error"
    assert str(1 << 20) in message["error"]["message"]
    for request in requests:
        host.respond(request, value=1)
    assert host.last(waiting)["value"] == [1, 1, 1]


def test_a_frame_below_the_limit_crosses_whole(host: Parent) -> None:
    assert host.value("echo", value="x" * 900_000) == "x" * 900_000


@pytest.mark.parametrize("head", [struct.pack(">I", 2 << 20), struct.pack(">I", 2) + b"no"])
def test_a_host_that_gets_no_frame_ends(host: Parent, head: bytes) -> None:
    host.socket.sendall(head)
    host.ended()


def test_fifty_calls_at_once_are_told_apart(host: Parent) -> None:
    calls = [host.call("catches") for _ in range(50)]
    requests = [host.receive() for _ in calls]
    assert sorted(request["id"] for request in requests) == calls
    for request in reversed(requests):
        host.respond(request, error={"name": "Error", "message": f"of {request['id']}"})
    answers = [host.receive() for _ in calls]
    assert {m["id"]: m["value"] for m in answers} == {id_: f"caught: of {id_}" for id_ in calls}


def test_a_cut_call_is_answered_at_once_and_the_others_go_on(host: Parent) -> None:
    waiting, asking = host.call("wait", seconds=600), host.call("catches")
    request = host.receive()
    host.send("cancel", id=waiting)
    message = host.last(waiting)
    assert (message["type"], message["error"]["name"]) == ("error", "Cancelled")
    host.respond(request, error={"name": "Error", "message": "later"})
    assert host.last(asking)["value"] == "caught: later"


def test_a_cut_call_drops_its_open_requests(host: Parent) -> None:
    call = host.call("together")
    requests = [host.receive() for _ in range(3)]
    host.send("cancel", id=call)
    assert host.last(call)["error"]["name"] == "Cancelled"
    for request in requests:
        host.respond(request, value=1)  # crossed; no one waits for it
    host.send("cancel", id=call)
    assert host.value("echo", value=1) == 1


def _text(part: Any) -> bytes:
    return base64.b64decode(part["$bytes"]) if isinstance(part, dict) else part.encode()


def test_a_response_is_written_part_by_part(host: Parent) -> None:
    """The next part waits until there is room for it."""
    asked: list[tuple[str, list[Any]]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append((request["method"], request["args"]))
        return {"value": None}

    call = host.call_step("parts", {"body": {}}, trigger="http", topic=None)
    assert host.last(call, answer)["value"] is None
    start, first, second, close = asked
    assert start == ("response.start", [201, {"x-own": "1"}])
    assert [name for name, _ in (first, second)] == ["response.write"] * 2
    assert [_text(arguments[0]) for _, arguments in (first, second)] == [b"a", b"b"]
    assert close == ("response.close", [])


def test_a_part_that_its_client_does_not_get_fails_the_call(host: Parent) -> None:
    def answer(request: dict[str, Any]) -> dict[str, Any]:
        gone = {"name": "ClientGoneError", "message": "gone"}
        return {"error": gone} if request["method"] == "response.write" else {"value": None}

    call = host.call_step("parts", {"body": {}}, trigger="http", topic=None)
    assert host.last(call, answer)["error"]["name"] == "ClientGoneError"


def test_a_handler_hears_that_its_client_is_gone(host: Parent) -> None:
    def answer(request: dict[str, Any]) -> dict[str, Any]:
        told.append(request)
        if len(told) == 4:
            host.send("gone", id=call)
        return {"value": None}

    told: list[Any] = []
    call = host.call_step("parts", {"body": {"forever": True}}, trigger="http", topic=None)
    assert host.last(call, answer)["error"]["name"] == "ClientGoneError"


def test_messages_of_an_unknown_type_and_unknown_fields_are_ignored(host: Parent) -> None:
    host.send("from-the-future", id=1, more={"a": 1})
    host.send("ping", id=7, more=1)
    assert host.receive() == {"type": "pong", "id": 7}
    told = {**RUN, "more": 1}
    value = {"act": "echo", "value": 1}
    host.send("call", id=8, file=host.file("behaviour"), run=told, input=value, more=1)
    assert host.last(8)["value"] == 1


def test_the_host_ends_when_its_socket_does(host: Parent) -> None:
    host.call("wait", seconds=600)
    host.socket.shutdown(socket.SHUT_RDWR)
    host.socket.close()
    host.ended()


def test_what_a_handler_prints_goes_to_its_output_and_not_into_the_frames(host: Parent) -> None:
    assert host.value("prints", size=200_000) == "printed"
    assert host.value("echo", value=1) == 1
    host.socket.close()
    host.ended()
    assert host.output.read_text() == "printed " + "x" * 200_000 + "\n"


OLDER = """
import os, socket
with socket.socket(fileno=int(os.environ["MOTIA_HOST_FD"])) as parent:
    hello = b'{"type": "hello", "protocol": 2, "language": "any", "version": "1"}'
    parent.sendall(len(hello).to_bytes(4, "big") + hello)
    while parent.recv(4096):
        pass
"""


async def test_a_host_that_speaks_another_protocol_is_ended(tmp_path: Path) -> None:
    command = HostCommand(arguments=[sys.executable, "-c", OLDER], root=tmp_path)
    link = await Link.open(command, 2)
    assert not await asyncio.wait_for(link.greeted(), 60)
    with pytest.raises(HostDiedError):
        await link.call({}, None)  # type: ignore[arg-type]
    await link.end()
