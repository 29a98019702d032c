"""What a project's config file (``motia.config.ts``) says of the whole app: values."""

from __future__ import annotations

from dataclasses import dataclass

from motia_celery.model.step import Language

#: The flow of Steps that plugins bring. It is not drawn.
PLUGIN_FLOW = "_plugin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMiddleware:
    """The ``middleware`` of the config file, which is around every API Step.

    One that is not usable lets no request through: a fault in the file must not open the app.
    """

    file: str
    language: Language
    is_usable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The servers that ``redis`` and ``adapters`` of the config file name."""

    file: str = ""
    redis_url: str | None = None
    broker_url: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What it sets."""
        named = {"redis_url": self.redis_url, "broker_url": self.broker_url}
        return {name: url for name, url in named.items() if url}
