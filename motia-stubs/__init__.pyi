"""What Steps import from ``motia``, for type checkers: at run time the module has no file."""

from motia_celery.motia.exports import *  # noqa: F403
