"""FastAPI in front of Celery: a route in a thread, and one that blocks its loop for less."""

from __future__ import annotations

from typing import Any

from celery_tasks import first
from fastapi import FastAPI

app = FastAPI()


@app.post("/orders")
def create(data: dict[str, Any]) -> dict[str, Any]:
    first.apply_async((data,))
    return {"id": data["id"]}


@app.post("/orders-blocking")
async def create_blocking(data: dict[str, Any]) -> dict[str, Any]:
    first.apply_async((data,))
    return {"id": data["id"]}
