"""The message broker: the only part that knows Celery and kombu."""
