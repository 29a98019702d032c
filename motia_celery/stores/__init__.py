"""The only place that knows Redis: clients, state, held messages, the embedded server."""
