"""One http trigger at work: request in, run, response out."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Receive, Scope

from motia_celery.context.request import Request
from motia_celery.errors import (
    ClientGoneError,
    ConfigError,
    InputMismatchError,
    ResponseError,
)
from motia_celery.model.run import Failure, Outcome, Run, RunError
from motia_celery.model.trace import random_id
from motia_celery.observe.spans import ServerWork
from motia_celery.plan.routes import Route
from motia_celery.run.body import RequestRefusedError
from motia_celery.run.reply import ClientReply
from motia_celery.run.requests import read_request
from motia_celery.run.responses import (
    Header,
    Response,
    build_response,
    error_response,
    json_response,
)
from motia_celery.run.validation import Validator, compile_validator, named_uploads
from motia_celery.settings import Settings

log = logging.getLogger("motia_celery.web")

Invoke = Callable[[Run], Awaitable[Outcome]]

#: Failures that are not the handler's fault: the client may try again.
_UNAVAILABLE = frozenset(
    {"EmitError", "BrokerUnavailableError", "StoreUnavailableError", "HostDiedError"}
)

#: Stands for a response that the handler has written itself.
_WRITTEN = Response(200)


class Endpoint:
    """Answers the requests of one route. Everything that can be known before is prepared here."""

    def __init__(self, route: Route, settings: Settings, invoke: Invoke) -> None:
        self.route = route
        self.method = route.trigger.method
        self._step = route.step
        triggers = route.step.triggers
        self._index = triggers.index(route.trigger) if len(triggers) > 1 else None
        self._settings = settings
        self._invoke = invoke
        self._validator = self._compile_validator()

    def _compile_validator(self) -> Validator | None:
        trigger = self.route.trigger
        if not is_validated(self.route, self._settings):
            return None
        try:
            return compile_validator(trigger.body_schema or {}, self._step.file)
        except ConfigError as error:
            log.error(
                "%s", error, extra={"action": "web.body_schema_invalid", "step": self._step.name}
            )
            # A body that can not be checked as asked is not let through.
            return _broken_schema

    async def answer(
        self,
        scope: Scope,
        receive: Receive,
        headers: dict[str, Any],
        params: dict[str, str],
        reply: ClientReply,
    ) -> Response | None:
        """The response to one request, with the headers of ``reply`` that it has not itself; never
        raises for what the request or the handler did.

        It is None where the handler wrote it to ``reply``, which is over then.
        """
        with ServerWork(scope, headers, self.route.trigger.path) as work:
            reply.headers, reply.where = (*_trace_headers(work), *reply.headers), self._step.file
            response = await self._answer(scope, receive, headers, params, work, reply)
            work.answer(reply.status or response.status)
        if reply.has_begun:
            await (reply.close() if response is _WRITTEN else reply.cut())
            return None
        reply.refuse()
        return response.with_headers(reply.headers)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        headers: dict[str, Any],
        params: dict[str, str],
        work: ServerWork,
        reply: ClientReply,
    ) -> Response:
        try:
            request = await read_request(
                scope, receive, headers, params, self._settings.body_limit_bytes
            )
            request.reply = reply
            return self._invalid(request) or await self._run(request, work, reply)
        except RequestRefusedError as error:
            return error_response(error.status, error.what)
        except (ConfigError, ResponseError) as error:
            return self._failed(RunError(type(error).__name__, str(error)), work)

    def _invalid(self, request: Request) -> Response | None:
        if self._validator is None:
            return None
        body = request["body"]
        details = self._validator(named_uploads(body) if "files" in request else body)
        if not details:
            return None
        return json_response(400, {"error": "Validation failed", "details": details})

    async def _run(self, request: Request, work: ServerWork, reply: ClientReply) -> Response:
        run = Run(
            id=random_id(),
            step=self._step.name,
            trigger="http",
            input=request,
            trace=work.trace,
            flows=self._step.flows,
            trigger_index=self._index,
        )
        outcome = await self._outcome(run, reply)
        if isinstance(outcome, Failure):
            return self._failed(outcome.error, work)
        if reply.has_begun:
            return _WRITTEN
        status = 200 if self._step.lists_triggers else None
        return build_response(outcome.result, self._step.file, status)

    async def _outcome(self, run: Run, reply: ClientReply) -> Outcome:
        deadline = asyncio.timeout(self._settings.request_timeout_seconds)
        reply.on_start = lambda: deadline.reschedule(None)
        try:
            async with deadline:
                return await self._invoke(run)
        except Exception as error:
            if deadline.expired():
                limit = self._settings.request_timeout_seconds
                return Failure(RunError("RunTimeoutError", f"no answer within {limit:g} s"))
            return Failure(
                RunError(type(error).__name__, str(error), traceback=traceback.format_exc())
            )

    def _failed(self, error: RunError, work: ServerWork) -> Response:
        if error.type == InputMismatchError.__name__:  # what a schema can not say
            details = [{"path": "", "message": error.message}]
            return json_response(400, {"error": "Validation failed", "details": details})
        work.fail(error)
        level = logging.INFO if error.type == ClientGoneError.__name__ else logging.ERROR
        log.log(
            level,
            "%s failed: %s",
            self._step.name,
            error,
            extra={
                "action": "web.request_failed",
                "step": self._step.name,
                "trace_id": work.trace.trace_id,
                "error": str(error),
                "where": error.where or self._step.file,
                "traceback": error.traceback,
            },
        )
        if error.type == "RunTimeoutError":
            return error_response(504, "Gateway Timeout")
        if error.type in _UNAVAILABLE:
            return error_response(503, "Service Unavailable")
        return error_response(500, "Internal server error")


def is_validated(route: Route, settings: Settings) -> bool:
    """Whether the bodies of this route are checked: the Step's word counts before the app's."""
    if route.trigger.body_schema is None:
        return False
    asked = route.trigger.validate_body
    return settings.validate_body if asked is None else asked


def _trace_headers(work: ServerWork) -> tuple[Header, ...]:
    return (
        (b"x-trace-id", work.trace.trace_id.encode("ascii")),
        (b"traceparent", work.trace.header.encode("ascii")),
    )


def _broken_schema(body: Any) -> list[dict[str, str]]:
    raise ConfigError("bodySchema is not valid, so no body can be checked.", "", "Correct it.")
