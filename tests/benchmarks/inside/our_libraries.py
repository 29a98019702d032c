"""What our processes import beside FastAPI and Celery: to compare memory with equal libraries."""

import httptools
import orjson
import pydantic
import redis.asyncio
import uvloop

__all__ = ["httptools", "orjson", "pydantic", "redis", "uvloop"]
