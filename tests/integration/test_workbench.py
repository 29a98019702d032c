"""The Workbench's API, asked of a running app: what it tells and keeps, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from integration.workbench import Bench, running_bench
from servers import Room

from motia_celery.workbench.api import create_api
from motia_celery.workbench.motia import create_motia


@pytest.fixture(scope="module")
def bench(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One app with a web process, for all tests of this file; no broker makes a difference here."""
    with running_bench(room, tmp_path_factory.mktemp("bench")) as made:
        yield made


# --- what the app is ------------------------------------------------------------------------


def test_the_app_is_told_without_its_passwords(bench: Bench) -> None:
    app = bench.get("/app")
    assert app["counts"] == {
        "steps": 7,
        "routes": 1,
        "topics": 5,
        "schedules": 1,
        "streams": 1,
        "flows": 1,
        "problems": 0,
    }
    assert set(app["languages"]) == {"python", "typescript"}
    assert app["base_path"] == "/__workbench"
    for address in (app["broker"], app["store"]):
        assert "@" not in address or ":***@" in address


def test_the_diagram_and_each_step_of_it(bench: Bench) -> None:
    graph = bench.get("/flows")
    assert [flow["name"] for flow in graph["flows"]] == ["", "things"]
    (edge,) = graph["edges"]
    assert (edge["source"], edge["target"], edge["topic"]) == ("place", "makes", "thing.made")
    for node in graph["nodes"]:
        step = bench.get(f"/steps/{node['name']}")
        assert (step["name"], step["kind"]) == (node["name"], node["kind"])
        assert "handler" in step["source"]["text"].splitlines()[step["source"]["line"] - 1]
    assert [node["name"] for node in bench.get("/steps")] == [n["name"] for n in graph["nodes"]]


def test_a_steps_schemas_route_and_schedule(bench: Bench) -> None:
    (route,) = bench.get("/steps/place")["api"]
    assert route == bench.get("/endpoints")[0]
    assert (route["method"], route["url"], route["path_params"]) == ("POST", "/things/{id}", ["id"])
    assert route["query_params"] == [{"name": "size", "description": "How large"}]
    assert route["body_schema"]["required"] == ["n"]
    tick = bench.get("/steps/tick/tock")
    assert tick["schedules"][0]["timezone"] == "Europe/Rome"
    assert tick["queue"].endswith(tick["queue"].rpartition(".")[2])


@pytest.mark.parametrize(
    "name",
    [
        "gone",
        "..%2f..%2fetc%2fpasswd",
        "place_step.py",
        "%2fetc%2fpasswd",
        "a%00b",
        "%ff",
        "x" * 4000,
    ],
)
def test_only_steps_are_told_of(bench: Bench, name: str) -> None:
    """No path comes from the client: a name is looked up among the app's Steps."""
    fault = bench.get(f"/steps/{name}", 404)
    assert fault["error"].startswith("no Step is named")
    assert fault["fix"]


def test_a_node_of_the_projects_own_is_told_of(bench: Bench) -> None:
    """Motia's Workbench would draw it; this one says where it is."""
    file = bench.project.folder / "steps" / "typed.step.tsx"
    file.write_text("import { EventNode } from 'motia/workbench'\nexport const Node = EventNode\n")
    try:
        nodes = {node["name"]: node["component"] for node in bench.get("/flows")["nodes"]}
        assert nodes.pop("typed") == "steps/typed.step.tsx"
        assert set(nodes.values()) == {None}
        assert bench.get("/steps/typed")["component"] == "steps/typed.step.tsx"
    finally:
        file.unlink()


def test_positions_are_kept_in_motias_file(bench: Bench) -> None:
    place = {"x": 10.5, "y": -3, "source_handle": "right", "target_handle": None}
    bench.put("/positions", {"flow": "things", "positions": {"place": place, "gone": place}})
    flow = next(flow for flow in bench.get("/flows")["flows"] if flow["name"] == "things")
    assert flow["positions"] == {"place": place}
    kept = json.loads((bench.project.folder / "motia-workbench.json").read_text())
    entry = {"x": 10.5, "y": -3.0, "sourceHandlePosition": "right"}
    assert kept == [{"id": "things", "config": {"steps/place_step.py": entry}}]
    bench.put("/positions", {"flow": "things", "positions": {"place": {"x": "far", "y": 0}}}, 422)
    (bench.project.folder / "motia-workbench.json").unlink()


def test_problems_are_told_with_their_fix(bench: Bench) -> None:
    assert bench.get("/problems") == []


# --- state and streams ----------------------------------------------------------------------

ODD_NAMES = ["a/b", "..", "ключ", "a:b", " ", "x" * 1000, "%00", "'; DROP", "\x00"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_state_of_any_name_is_set_found_and_deleted(bench: Bench, name: str) -> None:
    write = {"group": name, "key": name, "value": {"needle": name}}
    assert bench.put("/state/value", write)["value"] == {"needle": name}
    item = bench.get("/state/value", group=name, key=name)
    assert (item["type"], item["ttl_seconds"]) == ("object", None)
    assert name in bench.get("/state/groups", limit=1000)["groups"]
    assert bench.get("/state/items", group=name)["items"] == [item]
    assert bench.get("/state/search", text=name.strip()[:500] or "needle")["items"]
    assert bench.post("/state/delete", {"keys": [{"group": name, "key": name}]}) == {"deleted": 1}
    bench.get("/state/value", 404, group=name, key=name)


def test_state_is_paged_searched_and_shortened(bench: Bench) -> None:
    for number in range(30):
        bench.put("/state/value", {"group": "many", "key": f"{number:02}", "value": {"n": number}})
    bench.put("/state/value", {"group": "many", "key": "large", "value": "x" * 20_000})
    page = bench.get("/state/items", group="many", offset=10, limit=5)
    assert [item["key"] for item in page["items"]] == ["10", "11", "12", "13", "14"]
    assert page["total"] == 31
    found = bench.get("/state/items", group="many", text='"N":7')["items"]
    assert [item["key"] for item in found] == ["07"]
    (large,) = bench.get("/state/items", group="many", text="large")["items"]
    assert (large["value"], large["truncated"], large["size_bytes"]) == (None, True, 20_002)
    assert len(bench.get("/state/value", group="many", key="large")["value"]) == 20_000
    assert bench.get("/state/search", text="large")["items"][0]["group"] == "many"
    assert bench.post("/state/delete", {"groups": ["many"]}) == {"deleted": 1}
    assert bench.get("/state/items", group="many")["total"] == 0


def test_state_with_a_life_and_one_that_is_there(bench: Bench) -> None:
    write = {"group": "lives", "key": "k", "value": 1, "ttl_seconds": 600}
    bench.put("/state/value", write)
    assert 590 < bench.get("/state/value", group="lives", key="k")["ttl_seconds"] <= 600
    fault = bench.put("/state/value", {**write, "create": True}, 400)
    assert fault["error"] == "this key is there already."
    bench.put("/state/value", {**write, "ttl_seconds": 0}, 422)
    bench.put("/state/value", {**write, "group": 1}, 422)
    bench.post("/state/delete", {"groups": ["lives"]})


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', "[" * 400 + "]" * 400, "9" * 400])
def test_a_value_that_is_no_json_of_state_is_refused(bench: Bench, value: str) -> None:
    body = f'{{"group": "g", "key": "odd", "value": {value}}}'
    headers = {"content-type": "application/json"}
    fault = bench.ask("PUT", "/state/value", 400, content=body, headers=headers)
    assert fault["error"]
    bench.get("/state/value", 404, group="g", key="odd")


def test_a_streams_items_are_listed_set_and_deleted(bench: Bench) -> None:
    (stream,) = bench.get("/streams")
    assert (stream["name"], stream["item_schema"]["type"]) == ("things", "object")
    place = {"stream": "things", "group": "a/b"}
    for id in ("1", "2"):
        written = bench.put("/streams/item", {**place, "id": id, "data": {"n": int(id)}})
        assert written["data"] == {"n": int(id), "id": id}
    assert bench.get("/streams/groups", stream="things")["groups"] == ["a/b"]
    items = bench.get("/streams/items", **place)
    assert [item["data"]["n"] for item in items["items"]] == [1, 2]
    assert bench.get("/streams/items", **place, text='"n":2')["total"] == 1
    assert bench.get("/streams/item", **place, id="1")["data"]["n"] == 1
    assert bench.post("/streams/delete", {**place, "ids": ["1", "gone"]}) == {"deleted": 1}
    bench.get("/streams/item", 404, **place, id="1")
    assert bench.post("/streams/delete", place) == {"deleted": 1}
    assert bench.get("/streams/items", **place)["total"] == 0


def test_a_stream_that_is_not_declared_is_404(bench: Bench) -> None:
    place = {"stream": "gone", "group": "g"}
    bench.get("/streams/groups", 404, stream="gone")
    bench.get("/streams/items", 404, **place)
    bench.get("/streams/item", 404, **place, id="1")
    bench.put("/streams/item", {**place, "id": "1", "data": {}}, 404)
    bench.post("/streams/delete", place, 404)
    bench.put("/streams/item", {"stream": "things", "group": "g", "id": "1", "data": [1]}, 422)


# --- runs; more of them in test_workbench_runs.py -------------------------------------------


def test_runs_that_are_not_known_are_404(bench: Bench) -> None:
    assert bench.get("/app")["has_records"]
    for path in ("/runs/x", "/traces/x", "/traces/*"):
        assert bench.get(path, 404)["error"]
    assert bench.post("/runs/x/rerun", {}, 404)["error"]


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"status": "lost"}, {"after": "x"}, {"other": 1}, {"text": "x" * 501}]
)
def test_a_filter_that_is_none_is_refused(bench: Bench, params: dict[str, Any]) -> None:
    assert bench.get("/runs", 422, **params)["where"].startswith("query.")


# --- errors, and hostile requests -----------------------------------------------------------


def test_errors_are_json_with_a_text_and_never_a_traceback(bench: Bench) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("DELETE", "/app", 405),
        ("POST", "/runs", 405),
        ("GET", "/state/items", 422),
    ):
        fault = bench.ask(method, path, status)
        assert fault.keys() == {"error", "fix", "where"}
        assert "Traceback" not in json.dumps(fault)


def test_a_huge_body_is_not_read(bench: Bench) -> None:
    huge = json.dumps({"group": "g", "key": "k", "value": "x" * (1 << 20)})
    headers = {"content-type": "application/json"}
    fault = bench.ask("PUT", "/state/value", 413, content=huge, headers=headers)
    assert fault["error"] == "The body is too large."
    parts = (huge[:9000].encode() for _ in range(1000))
    fault = bench.ask("PUT", "/state/value", 413, content=parts, headers=headers)
    assert fault["error"] == "The body is too large."
    motia = bench.client.post("/__motia/state", content=huge, headers=headers)
    assert motia.status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(bench: Bench, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/state/delete", "/topics/kept/emit", "/dead-letters/drop"):
        answer = bench.client.post(f"/__workbench/api{path}", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.json()["error"]


def test_other_pages_are_kept_out(bench: Bench) -> None:
    """A page of another site that a developer visits must not reach the Workbench."""
    for path in ("/__workbench/api/app", "/__workbench/", "/__motia", "/__motia/streams/all"):
        for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
            assert bench.client.get(path, headers=headers).status_code == 403
    answer = bench.client.post(
        "/__workbench/api/dead-letters/drop",
        json={"choice": {}, "all": True},
        headers={"origin": "null"},
    )
    assert answer.status_code == 403


def test_who_has_no_token_sees_nothing(bench: Bench) -> None:
    for path in ("/__workbench/api/app", "/__workbench/", "/__motia", "/__motia/streams/all"):
        address = f"http://127.0.0.1:{bench.port}{path}"
        assert httpx.get(address).status_code == 401
        assert httpx.get(address, headers={"authorization": "Bearer nonsense"}).status_code == 401


def every_endpoint() -> Iterator[tuple[str, str]]:
    """The method and path of all that the Workbench answers, Motia's endpoints too."""
    for base, app in (("/__workbench/api", create_api()), ("/__motia", create_motia())):
        for path, methods in app.openapi()["paths"].items():
            for method in methods:
                yield method.upper(), base + re.sub(r"\{[^}]*\}", "x", path)


def test_no_endpoint_answers_without_the_token_or_to_another_page(bench: Bench) -> None:
    address = f"http://127.0.0.1:{bench.port}"
    found = {*every_endpoint()}
    assert {("POST", "/__motia/bullmq/dlq/x/clear"), ("GET", "/__workbench/api/feed")} <= found
    with httpx.Client(base_url=address) as stranger:
        for method, path in found:
            assert stranger.request(method, path).status_code == 401, (method, path)
            evil = {"origin": "https://evil.example"}
            assert bench.client.request(method, path, headers=evil).status_code == 403, path


# --- Motia's own endpoints ------------------------------------------------------------------


def test_motias_facts_and_steps(bench: Bench) -> None:
    facts = bench.client.get("/__motia").json()
    assert facts.keys() == {"version", "isDev", "isTutorialDisabled", "workbenchBase"}
    step = bench.get("/steps/typed")
    answer = bench.client.get(f"/__motia/step/{step['id']}").json()
    assert answer["content"] == step["source"]["text"]
    assert (answer["id"], answer["features"]) == (step["id"], [])
    gone = bench.client.get("/__motia/step/..%2f..%2fetc%2fpasswd")
    assert gone.status_code == 404
    assert "error" in bench.client.get("/__motia/step/gone").json()


def test_motias_state(bench: Bench) -> None:
    client = bench.client
    entry = {"key": "a:b", "groupId": "m:g", "value": {"name": "ada"}}
    answer = client.post("/__motia/state", json=entry)
    assert (answer.status_code, answer.json()) == (200, entry)
    client.post("/__motia/state", json={"key": "n", "groupId": "m:g", "value": 7})
    found = client.get("/__motia/state", params={"groupId": "m:g"}).json()
    assert found == [
        {"groupId": "m:g", "key": "a:b", "type": "object", "value": {"name": "ada"}},
        {"groupId": "m:g", "key": "n", "type": "number", "value": 7},
    ]
    filters = json.dumps([{"valueKey": "name", "operation": "startsWith", "value": "a"}])
    filtered = client.get("/__motia/state", params={"filter": filters}).json()
    assert [item["key"] for item in filtered if item["groupId"] == "m:g"] == ["a:b"]
    assert client.get("/__motia/state", params={"filter": "{"}).status_code == 400
    deleted = client.post("/__motia/state/delete", json={"ids": ["m:g:a:b", "m:g:n", "gone", ":"]})
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get("/__motia/state", params={"groupId": "m:g"}).json() == []
    assert client.post("/__motia/state", json={"key": 1}).json().keys() == {"error"}


def test_motias_streams(bench: Bench) -> None:
    def get(path: str) -> httpx.Response:
        return bench.client.get(f"/__motia/streams{path}")

    bench.put("/streams/item", {"stream": "things", "group": "m", "id": "1", "data": {"n": 1}})
    known = {"id": "things", "name": "things", "hidden": False}
    known["filePath"] = "steps/things_stream.py"
    assert get("").json() == get("/all").json() == {"streams": [known]}
    assert get("/details/things").json()["schema"]["type"] == "object"
    items = [{"n": 1, "id": "1"}]
    group = {"streamName": "things", "groupId": "m", "items": items, "count": 1}
    assert get("/group/things/m").json() == group
    item = {"streamName": "things", "groupId": "m", "itemId": "1", "data": items[0]}
    assert get("/item/things/m/1").json() == item
    assert get("/item/things/m/2").json()["data"] is None
    for path in ("/details/gone", "/group/gone/m", "/item/gone/m/1"):
        assert get(path).status_code == 404
        assert get(path).json() == {"error": "Stream 'gone' not found"}


def test_motias_positions_and_traces(bench: Bench) -> None:
    config = {"id": "things", "config": {"steps/place_step.py": {"x": 1, "y": 2}}}
    answer = bench.client.post("/__motia/flows/things/config", json=config)
    assert answer.json() == {"message": "Flow config saved successfully"}
    flow = next(flow for flow in bench.get("/flows")["flows"] if flow["name"] == "things")
    assert flow["positions"]["place"]["x"] == 1
    (bench.project.folder / "motia-workbench.json").unlink()
    assert bench.client.post("/__motia/flows/things/config", json=[1]).status_code == 400
    assert bench.client.post("/__motia/trace/clear").json() == {"message": "Traces cleared"}
