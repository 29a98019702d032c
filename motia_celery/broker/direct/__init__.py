"""The direct path: events from RabbitMQ straight to the handlers' event loop.

Celery's worker keeps its connection, control commands, events and registers; what is left out is a
request object, a tracer and a change of threads for each event. Whatever is not a plain event, or
needs something of Celery's own, takes Celery's path.
"""
