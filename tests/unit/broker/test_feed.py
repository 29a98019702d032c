"""The worker's event loop, as signals meet it."""

from __future__ import annotations

import threading

from kombu.asynchronous import Hub

from motia_celery.broker.feed import let_signals_in


def test_a_signal_may_call_while_its_own_thread_takes_calls_over() -> None:
    hub = Hub()
    let_signals_in(hub)
    called = threading.Event()

    def interrupted() -> None:
        with hub._ready_lock:  # where the signal found the loop
            hub.call_soon(called.set)

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    for call in hub._pop_ready():
        call()
    assert called.is_set()
