"""What our processes import beside FastAPI and Celery: to compare memory with equal libraries."""

import httptools
import orjson
import pydantic
import pydantic_settings
import redis.asyncio
import uvloop

__all__ = ["httptools", "orjson", "pydantic", "pydantic_settings", "redis", "uvloop"]
