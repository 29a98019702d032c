"""What was asked of running workers: Steps that pause, runs and traces that are called off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from motia_celery.model.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """All that is in force. ``emptied`` holds, by Step, the epoch second before which its events
    were called off.
    """

    paused: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()
    traces: frozenset[str] = frozenset()
    emptied: Mapping[str, float] = field(default_factory=dict)

    def calls_off(self, run: Run, sent_at: float | None) -> bool:
        """Whether the run is not to begin; ``sent_at`` is when its event was emitted."""
        if run.id in self.runs or run.trace.trace_id in self.traces:
            return True
        emptied = self.emptied.get(run.step)
        return emptied is not None and sent_at is not None and sent_at < emptied
