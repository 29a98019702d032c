"""Invoking: a run comes in as a value, its outcome goes out as a value."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from motia_celery.context import Context, Services
from motia_celery.errors import RunTimeoutError
from motia_celery.model.run import Failure, Outcome, Run, RunError, Success
from motia_celery.model.step import Language, Step
from motia_celery.observe.logs import Capturing
from motia_celery.observe.recording import Recordings, recorded
from motia_celery.plan.inputs import Inputs, mismatch
from motia_celery.runtime.deadline import OverdueError, within
from motia_celery.runtime.faults import run_error
from motia_celery.runtime.host import Host, completed
from motia_celery.runtime.isolated import IsolatedHost


class Invoker:
    """Calls the handlers of every Step of the app, whatever their language."""

    def __init__(
        self,
        steps: Mapping[str, Step],
        hosts: Mapping[Language, Host],
        services: Services,
        root: Path,
        *,
        inputs: Inputs | None = None,
        isolated: IsolatedHost | None = None,
        recorder: Recordings | None = None,
    ) -> None:
        self._steps = steps
        self._hosts = hosts
        self._services = services
        self._root = root
        self._inputs = inputs or Inputs(steps.values())
        self._isolated = isolated
        self._recorder = recorder

    async def invoke(self, run: Run) -> Outcome:
        """Runs the handler once. A fault of the handler is a :class:`Failure`, never raised."""
        recording = self._recorder.begin(run) if self._recorder else None
        context = Context(run, self._steps[run.step], self._services, recording)
        with Capturing(context):
            if recording is None:
                return await self._outcome(run, context)
            return await recorded(recording, self._outcome(run, context))

    async def _outcome(self, run: Run, context: Context) -> Outcome:
        step = self._steps[run.step]
        if rejected := self._rejected(run, context):
            return rejected
        try:
            if self._isolated is None or not self._isolated.takes(step):
                return await _success(self._hosts[step.language], step, run, context)
            async with self._isolated.child(step) as host:  # to get it takes none of its time
                return await _success(host, step, run, context)
        except asyncio.CancelledError as error:
            # A handler may await something that was cancelled; only its own task ends the run.
            if _is_being_cancelled():
                raise
            return self._failure(error)
        except OverdueError:
            return self._failure(self._timed_out(step))
        except (Exception, SystemExit) as error:
            return self._failure(error)

    def _failure(self, error: BaseException) -> Failure:
        return Failure(run_error(error, self._root))

    def _timed_out(self, step: Step) -> RunTimeoutError:
        return RunTimeoutError(
            f"the handler ran longer than {step.timeout_seconds:g} s.",
            step.file,
            "Raise infrastructure.handler.timeout, or emit the slow part to another Step.",
        )

    def _rejected(self, run: Run, context: Context) -> Failure | None:
        """The failure of an event that does not fit; by Motia's rule it is only warned of."""
        if run.trigger != "event":
            return None
        faults = self._inputs.faults(run.step, run.input, run.topic)
        if not faults:
            return None
        if self._inputs.lets_run(run.step):
            message = "The event does not fit the Step's input schema"
            context.logger.warn(message, {"faults": faults})
            return None
        error = mismatch(self._steps[run.step], faults)
        return Failure(RunError(type(error).__name__, str(error), final=True))


async def _success(host: Host, step: Step, run: Run, context: Context) -> Success:
    work = completed(host.call(run, context), context)
    if step.timeout_seconds is None:
        return Success(await work)
    return Success(await within(step.timeout_seconds, work, step.name))


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
