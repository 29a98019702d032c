"""What a handler receives: emit, state, streams, logger, and the ids of its run."""

from motia_celery.context.context import Context, Services

__all__ = ["Context", "Services"]
