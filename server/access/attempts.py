"""Wrong keys, counted by the address that they come from, so that nobody tries them by the thousand."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

_ADDRESSES = 10_000
_REMEMBERED = 32  # wrong keys of an address


@dataclass(slots=True)
class _Address:
    tokens: float
    at: float
    wrong: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


class Attempts:
    """A bucket of ``burst`` wrong keys for each address, that fills up by one every ``seconds``.

    Safe to use from threads. A wrong key that comes again counts once, unless it is a sign-in: a client with an old
    key tries nothing. The addresses longest unheard of are forgotten over 10,000 of them. Counted in this process
    alone.
    """

    def __init__(self, burst: int = 10, seconds: float = 6.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._seconds, self._clock = burst, seconds, clock
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._lock = Lock()

    def wait(self, address: str) -> int:
        """For how many seconds no key from ``address`` is looked at; 0: it may try."""
        with self._lock:
            found = self._addresses.get(_network(address))
            if found is None:
                return 0
            self._fill(found)
            return 0 if found.tokens >= 1 else max(1, math.ceil((1 - found.tokens) * self._seconds))

    def failed(self, address: str, key_hash: str, *, always: bool = False) -> bool:
        """Count a wrong key, by its hash; whether it counted. ``always``: it counts if it came before as well."""
        network = _network(address)
        with self._lock:
            found = self._addresses.setdefault(network, _Address(self._burst, self._clock()))
            self._addresses.move_to_end(network)
            while len(self._addresses) > _ADDRESSES:
                self._addresses.popitem(last=False)
            if key_hash in found.wrong and not always:
                return False
            found.wrong.append(key_hash)
            self._fill(found)
            found.tokens = max(0.0, found.tokens - 1)
            return True

    def _fill(self, found: _Address) -> None:
        now = self._clock()
        found.tokens = min(self._burst, found.tokens + (now - found.at) / self._seconds)
        found.at = now


def _network(address: str) -> str:
    """An IPv6 address as its /64, which one host has to itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
