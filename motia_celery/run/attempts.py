"""Failed attempts to come in, counted for each client."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

#: So many wrong tokens may a client send within the window; then it has to wait for its end.
ATTEMPTS = 10
WINDOW_SECONDS = 60.0
#: Clients that are remembered; past it, who failed first is forgotten.
_CLIENTS = 10_000


class Attempts:
    """How often each client failed of late."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_seconds(self, client: str) -> float:
        """How long the client must wait before its next attempt; 0 if it need not."""
        count, ends = self._failed.get(network_of(client), (0, 0.0))
        return max(0.0, ends - self._now()) if count >= ATTEMPTS else 0.0

    def fail(self, client: str) -> None:
        """Counts a failed attempt."""
        network, now = network_of(client), self._now()
        count, ends = self._failed.pop(network, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + WINDOW_SECONDS
        self._failed[network] = (count + 1, ends)
        while len(self._failed) > _CLIENTS:
            self._failed.popitem(last=False)


def network_of(client: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that an IPv6 host has to itself."""
    address = _address(client)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
    return str(address or client)


def is_loopback(client: str) -> bool:
    """Whether the address is this machine's own."""
    address = _address(client)
    return address is not None and address.is_loopback


def _address(client: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
