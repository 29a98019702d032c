"""A client's connection to the web process, and how it ends when the process does."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: A request may be on its way on a connection that looks idle: it has this long to arrive.
DRAIN_SECONDS = 0.2


class Connection(HttpToolsProtocol):
    """An HTTP connection that answers what is on its way before it closes.

    uvicorn closes an idle one at once when the process is told to stop, and with it the
    request of a client that had just connected, or that reuses the connection.
    """

    _draining = False

    def shutdown(self) -> None:
        """Closes the connection after its open request, and after one that is on its way."""
        self._draining = True
        self.loop.call_later(DRAIN_SECONDS, super().shutdown)
        self._close_after_response()

    def on_headers_complete(self) -> None:
        """A request begins."""
        super().on_headers_complete()
        self._close_after_response()

    def _close_after_response(self) -> None:
        if self._draining and self.cycle is not None:
            self.cycle.keep_alive = False
