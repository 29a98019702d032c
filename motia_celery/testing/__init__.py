"""What users test their Steps with: one handler, or a whole app, in memory or on real servers.

Nothing is imported before it is asked for: pytest loads the plugin in every test run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motia_celery.testing.blocking import SyncStepTester
    from motia_celery.testing.call import CallResult, call_step, call_step_sync
    from motia_celery.testing.result import (
        Emitted,
        Logged,
        RunResult,
        StateChanged,
        StreamChanged,
    )
    from motia_celery.testing.stream_client import StreamClient, StreamMessage
    from motia_celery.testing.tester import StepTester

__all__ = [
    "CallResult",
    "Emitted",
    "Logged",
    "RunResult",
    "StateChanged",
    "StepTester",
    "StreamChanged",
    "StreamClient",
    "StreamMessage",
    "SyncStepTester",
    "call_step",
    "call_step_sync",
]

_MODULES = {
    "CallResult": "call",
    "call_step": "call",
    "call_step_sync": "call",
    "StepTester": "tester",
    "SyncStepTester": "blocking",
    **dict.fromkeys(("StreamClient", "StreamMessage"), "stream_client"),
    **dict.fromkeys(("Emitted", "Logged", "RunResult", "StateChanged", "StreamChanged"), "result"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    value = globals()[name] = getattr(module, name)
    return value
