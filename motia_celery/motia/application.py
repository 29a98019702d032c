"""The app, as code of Motia 1.0 names it."""

from __future__ import annotations

from typing import Any

from motia_celery.errors import ConfigError
from motia_celery.motia.ambient import Logger, StateManager, Stream, enqueue


class Motia:
    """The app: its members are those of the run under way. Its Steps are found in their folders."""

    def __init__(self) -> None:
        self.state = StateManager()
        self.logger = Logger()

    enqueue = staticmethod(enqueue)
    emit = enqueue

    def stream(self, of: Any) -> Stream[Any]:
        """A stream by its name, or by its config."""
        return Stream(of)

    def add_step(self, *given: Any, **more: Any) -> None:
        """Refused: a Step is a file.

        Raises:
            ConfigError: always.
        """
        what = "Steps are not added to the app by calls."
        raise ConfigError(what, "motia", "Put the Step in a file below steps/ or src/.")

    add_stream = add_step
