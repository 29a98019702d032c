"""FastAPI alone, with the libraries of our web process imported."""

import kombu.transport.pyamqp
import our_libraries
from celery.app import Celery  # the package alone imports nothing before it is used
from web_bare import app

__all__ = ["Celery", "app", "kombu", "our_libraries"]
