"""State in memory keeps the rules of every state store."""

from __future__ import annotations

import pytest
from unit.stores.state_contract import StateContract

from motia_celery.stores.memory_state import MemoryState


class TestMemoryState(StateContract):
    """The shared rules."""

    @pytest.fixture
    def state(self) -> MemoryState:
        """An empty store."""
        return MemoryState()
