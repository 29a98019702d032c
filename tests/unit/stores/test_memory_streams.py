"""Streams in memory keep the rules of every store of streams."""

from __future__ import annotations

import pytest
from unit.stores.stream_contract import ShortLogContract, StreamContract

from motia_celery.stores.memory_streams import MemoryStreams


class TestMemoryStreams(StreamContract):
    """The shared rules."""

    @pytest.fixture
    def streams(self) -> MemoryStreams:
        """An empty store."""
        return MemoryStreams()


class TestShortLog(ShortLogContract):
    """What is dropped."""

    @pytest.fixture
    def streams(self) -> MemoryStreams:
        """An empty store with a short log."""
        return MemoryStreams(log_length=10)
