"""Invoking: a run comes in as a value, its outcome goes out as a value."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import jsonschema_rs

from motia_celery.context import Context, Services
from motia_celery.errors import RunTimeoutError
from motia_celery.model.run import Failure, Outcome, Run, Success
from motia_celery.model.step import EventTrigger, Language, Step
from motia_celery.plan.routes import no_remote
from motia_celery.runtime.deadline import OverdueError, within
from motia_celery.runtime.faults import run_error
from motia_celery.runtime.host import Host, completed
from motia_celery.runtime.isolated import IsolatedHost

logger = logging.getLogger("motia_celery.runtime")


class Invoker:
    """Calls the handlers of every Step of the app, whatever their language."""

    def __init__(
        self,
        steps: Mapping[str, Step],
        hosts: Mapping[Language, Host],
        services: Services,
        root: Path,
        isolated: IsolatedHost | None = None,
    ) -> None:
        self._steps = steps
        self._hosts = hosts
        self._services = services
        self._root = root
        self._isolated = isolated
        self._validators = {
            step.name: validator
            for step in steps.values()
            for trigger in step.events
            if (validator := _validator(step, trigger)) is not None
        }

    async def invoke(self, run: Run) -> Outcome:
        """Runs the handler once. A fault of the handler is a :class:`Failure`, never raised."""
        step = self._steps[run.step]
        context = Context(run, step, self._services)
        self._warn_of_misfit(run, context)
        try:
            async with self._host(step) as host:
                work = completed(host.call(run, context), context)
                return Success(await within(step.timeout_seconds, work, step.name))
        except asyncio.CancelledError as error:
            # A handler may await something that was cancelled; only its own task ends the run.
            if _is_being_cancelled():
                raise
            return self._failure(error)
        except OverdueError:
            return self._failure(self._timed_out(step))
        except (Exception, SystemExit) as error:
            return self._failure(error)

    def _host(self, step: Step) -> AbstractAsyncContextManager[Host]:
        """The host of one call; the time that it takes to get one is not the handler's."""
        if self._isolated is not None and self._isolated.takes(step):
            return self._isolated.child(step)
        return nullcontext(self._hosts[step.language])

    def _failure(self, error: BaseException) -> Failure:
        return Failure(run_error(error, self._root))

    def _timed_out(self, step: Step) -> RunTimeoutError:
        return RunTimeoutError(
            f"the handler ran longer than {step.timeout_seconds:g} s.",
            step.file,
            "Raise infrastructure.handler.timeout, or emit the slow part to another Step.",
        )

    def _warn_of_misfit(self, run: Run, context: Context) -> None:
        """Motia's rule: an input that does not fit its schema is warned of, and still runs."""
        validator = self._validators.get(run.step)
        if validator is None or run.trigger != "event" or validator.is_valid(run.input):
            return
        faults = [
            f"{'/'.join(map(str, error.instance_path)) or 'data'}: {error.message}"
            for _, error in zip(range(10), validator.iter_errors(run.input), strict=False)
        ]
        message = "The event does not fit the Step's input schema"
        context.logger.warn(message, {"faults": faults})


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _validator(step: Step, trigger: EventTrigger) -> jsonschema_rs.Validator | None:
    if not trigger.input_schema:
        return None
    try:
        return jsonschema_rs.validator_for(dict(trigger.input_schema), retriever=no_remote)
    except (ValueError, jsonschema_rs.ValidationError) as error:
        logger.warning(
            "The input schema is not valid JSON Schema: %s",
            error,
            extra={"action": "schema.invalid", "step": step.name},
        )
        return None
