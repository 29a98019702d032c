"""The Plan as data and as a Mermaid graph."""

from __future__ import annotations

import json

from pydantic import BaseModel

from motia_celery.model.reading import read_step
from motia_celery.model.step import Stream
from motia_celery.plan import compile_plan
from motia_celery.plan.describe import describe, mermaid


class Order(BaseModel):
    item: str


def plan_of(*configs):
    steps = [
        read_step(c, file=f"steps/{i}_step.py", path=f"/app/steps/{i}_step.py")[0]
        for i, c in enumerate(configs)
    ]
    streams = [Stream(name="chat", file="steps/chat_stream.py", language="python", schema={})]
    return compile_plan(prefix="motia", timezone="UTC", steps=steps, streams=streams)


API = {"type": "api", "name": "create", "method": "POST", "path": "/orders", "emits": ["new"]}
EVENT = {"type": "event", "name": "charge", "subscribes": ["new"], "flows": ["f"], "input": Order}
CRON = {"type": "cron", "name": "report", "cron": "@daily", "emits": ["lost"]}


def test_everything_in_the_plan_becomes_json():
    plan = plan_of({**API, "bodySchema": Order, "responseSchema": {200: Order}}, EVENT, CRON)
    data = json.loads(json.dumps(describe(plan)))
    assert [step["triggers"][0]["type"] for step in data["steps"]] == ["http", "event", "cron"]
    assert data["steps"][0]["triggers"][0]["response_schema"]["200"] == Order.model_json_schema()
    assert data["routes"] == [
        {"method": "POST", "path": "/orders", "openapi": "/orders", "step": "create"}
    ]
    assert data["queues"][0] == {
        "name": "motia.q.charge",
        "step": "charge",
        "task": "step:charge",
        "topics": ["new"],
        "type": "standard",
        "partitions": 0,
    }
    assert data["schedules"][0]["name"] == "report"
    assert data["flows"][0]["steps"] == ["charge"]
    assert data["streams"][0]["name"] == "chat"
    (problem,) = data["problems"]
    assert problem.keys() == {"severity", "file", "line", "what", "fix"}


def test_the_data_is_equal_whenever_the_plan_is():
    assert describe(plan_of(API, EVENT)) == describe(plan_of(API, EVENT))


def test_the_graph_shows_triggers_and_arrows():
    graph = mermaid(plan_of(API, EVENT, CRON, {"type": "noop", "name": "drawn"}).steps)
    lines = [line.strip() for line in graph.splitlines()]
    assert lines[0] == "flowchart TD"
    assert 's0["create<br/>POST /orders"]:::http' in lines
    assert 's1("charge"):::event' in lines
    assert 's2(["report<br/>@daily"]):::cron' in lines
    assert 's3{{"drawn"}}' in lines
    assert 's0 -->|"new"| s1' in lines


def test_conditional_and_virtual_arrows_are_dashed():
    emit = {"topic": "new", "label": "if paid", "conditional": True}
    graph = mermaid(plan_of({**API, "emits": [emit]}, EVENT).steps)
    assert 's0 -.->|"new (if paid)"| s1' in graph


def test_no_name_can_break_out_of_its_quotes():
    """Mermaid's own marks become entities."""
    name = 'a"]:::x\n  s9["<b>`#'
    graph = mermaid(plan_of({**EVENT, "name": name, "subscribes": ['n"x'], "emits": ['n"x']}).steps)
    assert name not in graph
    (line,) = [line for line in graph.splitlines() if line.strip().startswith("s0(")]
    assert line.count('"') == 2
    assert "#34;" in line
    assert "#60;b#62;#96;#35;" in line
    (arrow,) = [line for line in graph.splitlines() if "-->" in line]
    assert arrow.count('"') == 2
