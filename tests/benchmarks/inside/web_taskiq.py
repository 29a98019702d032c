"""FastAPI in front of Taskiq."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from taskiq_tasks import connected, first


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with connected():
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/orders")
async def create(data: dict[str, Any]) -> dict[str, Any]:
    await first.kiq(data)
    return {"id": data["id"]}
