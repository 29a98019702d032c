"""Stores in memory keep the rules of what is told of changes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from unit.stores.change_contract import ChangeContract

from motia_celery.model.told import Target
from motia_celery.stores.memory_state import MemoryState
from motia_celery.stores.memory_streams import MemoryStreams


class TestMemory(ChangeContract):
    """The shared rules."""

    @pytest.fixture
    def entries(self) -> list[tuple[str, Any]]:
        return []

    @pytest.fixture
    def start(self, entries: list[tuple[str, Any]]) -> Any:
        def start(target: Target, emitter: str, body: bytes) -> None:
            entries.append((emitter, orjson.loads(body)))

        return start

    @pytest.fixture
    def state(self, start: Any) -> MemoryState:
        return MemoryState(start=start)

    @pytest.fixture
    def streams(self, start: Any) -> MemoryStreams:
        return MemoryStreams(start=start)

    @pytest.fixture
    def heard(self, entries: list[tuple[str, Any]]) -> Any:
        async def heard() -> list[tuple[str, Any]]:
            return entries

        return heard
