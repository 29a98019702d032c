"""The errors that a person can act on: each says what is wrong, where, and what to do."""

from __future__ import annotations


class FrameworkError(Exception):
    """Root of every error raised by this package.

    ``what`` is the fault, ``where`` the file, queue or setting, ``fix`` the thing to do.
    All three are positional arguments, so that the error survives pickle.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.fix}" if self.fix else ""
        return f"{place}{self.what}{remedy}"

    def as_dict(self) -> dict[str, str]:
        """The error as JSON-ready fields."""
        return {
            "type": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "fix": self.fix,
        }


class SettingsError(FrameworkError):
    """A setting is missing or has a value that can not be used."""


class ConfigError(FrameworkError):
    """A Step's or stream's ``config`` can not be used."""


class OverwriteError(FrameworkError):
    """What is to be written is there already, and is left as it is."""


class PathError(FrameworkError):
    """A route's path pattern can not be understood."""


class CronError(FrameworkError):
    """A cron expression or its time zone can not be understood."""


class BrokerUnavailableError(FrameworkError):
    """The message broker does not answer, or refused the connection."""


class StoreUnavailableError(FrameworkError):
    """Redis does not answer, or refused the connection."""


class EmitError(FrameworkError):
    """An event was not confirmed by the broker in time, so it may not have been accepted."""


class EventDataError(EmitError):
    """An event's data has no JSON form, or is too large: it was not sent, and never can be."""


class UndeclaredTopicError(FrameworkError):
    """A Step emitted a topic that its ``emits`` does not list, with ``strict_emits`` on."""


class QueueConflictError(FrameworkError):
    """A queue exists on the broker with other arguments than the plan's."""


class MessageRejectedError(FrameworkError):
    """A delivery can not become an event for this queue; it goes to the dead letters."""


class OversizedMessageError(MessageRejectedError):
    """A delivery is larger than events may be."""


class UnknownTaskError(MessageRejectedError):
    """A delivery asks for a Celery task that its queue does not serve."""


class PoisonMessageError(MessageRejectedError):
    """A message was delivered again and again, and whoever took it died each time."""


class UnknownRunError(FrameworkError):
    """No run or trace, or more than one, is recorded under an id."""


class DeadLetterError(FrameworkError):
    """A dead letter is not there, or can not be replayed as it is."""


class SchemaMismatchError(FrameworkError):
    """An event does not fit the ``input`` of the Steps that hear it."""


class InputMismatchError(SchemaMismatchError):
    """An input is no instance of the model that its handler is annotated with."""


class RunTimeoutError(FrameworkError):
    """A handler ran longer than its timeout."""


class FrameError(FrameworkError):
    """A message between this process and the process of a handler can not be sent or read."""


class HostDiedError(FrameworkError):
    """The process that ran a handler ended; the run may be tried again."""


class HostMissingError(FrameworkError):
    """The program that runs another language's Steps is not installed, or is too old."""


class ResponseError(FrameworkError):
    """A handler returned something that can not become an HTTP response."""


class ClientGoneError(FrameworkError):
    """The client has closed the connection on which its request or its response was under way."""


class StateValueError(FrameworkError):
    """A value can not be kept as JSON in state or in a stream."""


class UpdateError(FrameworkError):
    """An update's operations do not fit the value that is stored."""


class UnknownStreamError(FrameworkError, AttributeError):
    """No stream file declares a stream of this name."""


class AuthenticationError(FrameworkError):
    """``authenticate`` refused a client of streams, or did not answer."""


class ServerMissingError(FrameworkError):
    """No Valkey or Redis program could be found for the embedded default."""


class UnsettledError(FrameworkError):
    """An app under test does not come to rest in time."""


class RequestError(FrameworkError):
    """What was asked of the Workbench can not be done as it was asked."""


class NotFoundError(FrameworkError):
    """What was asked for is not there."""
