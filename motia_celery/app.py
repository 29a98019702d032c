"""The Celery app of the project in the current folder.

``celery -A motia_celery.app worker``, ``… flower``, ``… inspect active`` work as for any other.
"""

from __future__ import annotations

from motia_celery.run.environment import read_environment, remap_sigterm

remap_sigterm()

from motia_celery.run.app import App  # noqa: E402 - after remap_sigterm
from motia_celery.run.worker import celery_of  # noqa: E402

app = celery_of(App(read_environment()))
