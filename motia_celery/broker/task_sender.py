"""Sending tasks to Celery apps beside this one, as messages of Celery's protocol 2."""

from __future__ import annotations

import socket
from typing import Any

from motia_celery.broker.arguments import shown_arguments
from motia_celery.broker.publisher import Publisher
from motia_celery.broker.wire import APP_ID, Message
from motia_celery.errors import SettingsError
from motia_celery.model.redaction import Redaction
from motia_celery.model.run import Run
from motia_celery.model.task_call import TaskCall
from motia_celery.settings import Settings


class TaskSender:
    """Sends by the process's publisher: confirmed, and refused where no queue takes it.

    It declares no queue: with other arguments than its app's, it would keep that from starting.
    """

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._rabbitmq = settings.uses_rabbitmq
        self._publisher = publisher
        self._redaction = Redaction(settings.redact_keys)

    async def send(self, call: TaskCall, run: Run, body: bytes) -> None:
        """Returns once the broker has the task.

        Raises:
            EmitError: no queue took it, or it was not confirmed in time.
            SettingsError: the broker is not RabbitMQ.
        """
        if not self._rabbitmq:
            raise SettingsError(
                "only RabbitMQ has queues that other Celery apps share.",
                f"send_task {call.name!r}",
                "Set AMQP_URL.",
            )
        await self._publisher.publish(self._message(call, run, body))

    def _message(self, call: TaskCall, run: Run, body: bytes) -> Message:
        priority = {} if call.priority is None else {"priority": call.priority}
        return Message(
            exchange=call.exchange,
            routing_key=call.routing_key or call.queue,
            body=body,
            headers={**run.trace.headers, **self._headers(call, run)},
            properties={
                "message_id": call.id,
                "correlation_id": call.id,
                "app_id": APP_ID,
                "delivery_mode": 2,
                "reply_to": "",
                **priority,
            },
            mandatory=True,
        )

    def _headers(self, call: TaskCall, run: Run) -> dict[str, Any]:
        return {
            "lang": "py",
            "task": call.name,
            "id": call.id,
            "root_id": run.root_id or run.id,
            "parent_id": run.id,
            "group": None,
            "shadow": None,
            "eta": call.eta,
            "expires": call.expires,
            "retries": 0,
            "timelimit": [None, None],
            "argsrepr": shown_arguments(list(call.args), self._redaction),
            "kwargsrepr": shown_arguments(dict(call.kwargs), self._redaction),
            "origin": f"{APP_ID}@{socket.gethostname()}",
            "ignore_result": False,
        }
