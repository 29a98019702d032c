"""FastAPI alone, with the libraries of our web process imported."""

import celery
import kombu.transport.pyamqp
import our_libraries
from web_bare import app

__all__ = ["app", "celery", "kombu", "our_libraries"]
