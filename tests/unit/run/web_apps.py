"""Web apps made in a test: Steps in, a client's answers out, with a stand-in for the runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from motia_celery.model.run import Failure, Outcome, Run, Success
from motia_celery.model.step import HttpTrigger, Step
from motia_celery.plan.routes import compile_routes
from motia_celery.run.web import create_app
from motia_celery.settings import Settings

JSON_500 = {"error": "Internal server error"}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def api(path: str, method: str = "POST", *, name: str = "", **trigger: Any) -> Step:
    http = HttpTrigger(method=method, path=path, **trigger)
    name = name or f"{method} {path}"
    return Step(
        name=name, file="steps/a_step.py", language="python", triggers=(http,), flows=("shop",)
    )


class Routed:
    def __init__(self, *steps: Step) -> None:
        self.routes, self.problems = compile_routes(steps)


@dataclass
class Runs:
    """Stands for the runtime: keeps the runs and answers with what the test gave."""

    answer: Any = field(default_factory=lambda: {"status": 200, "body": {"ok": True}})
    seen: list[Run] = field(default_factory=list)

    async def __call__(self, run: Run) -> Outcome:
        self.seen.append(run)
        answer = self.answer(run) if callable(self.answer) else self.answer
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, (Success, Failure)) else Success(answer)

    @property
    def request(self) -> Any:
        return self.seen[-1].input


async def never_emit(topic: str, data: Any, headers: Any) -> None:
    raise AssertionError("nothing should be emitted")


def app_of(
    *steps: Step,
    runs: Any = None,
    emit: Callable[[str, Any, Any], Awaitable[None]] = never_emit,
    probes: Any = None,
    **settings: Any,
) -> FastAPI:
    return create_app(
        plan=Routed(*steps),
        settings=Settings(**settings),
        invoke=Runs() if runs is None else runs,
        emit=emit,
        probes=probes or {},
    )


def client_of(app: FastAPI, base_url: str = "http://localhost:3000") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)


async def ask(app: FastAPI, method: str, url: str, **options: Any) -> httpx.Response:
    async with client_of(app) as client:
        return await client.request(method, url, **options)


def echo(run: Run) -> dict[str, Any]:
    return {"status": 200, "body": {"step": run.step, "params": run.input["pathParams"]}}
