"""The tasks on Celery, with the libraries of our worker imported."""

import our_libraries
from celery_tasks import app, send

__all__ = ["app", "our_libraries", "send"]
