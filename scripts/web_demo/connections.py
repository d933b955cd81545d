"""How many connections the page's launcher keeps open, and for how long one may say nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_END_OF_HEADER = b"\r\n\r\n"
_LONGEST_HEADER = 32_768
_THIS_COMPUTER = ("127.0.0.1", "::1")


@dataclass
class Connections:
    """Bounds on open connections; `most_per_address` does not hold for this computer, where an HTTPS server in front of
    the page may be. `header_seconds`: until the first request's header must be complete.
    """

    most: int = 400
    most_per_address: int = 60
    header_seconds: float = 10.0
    open: Counter = field(default_factory=Counter)

    def admits(self, address: str) -> bool:
        """Whether one more connection from an address is taken."""
        if self.open.total() >= self.most:
            return False
        return address in _THIS_COMPUTER or self.open[address] < self.most_per_address

    def begin(self, address: str) -> None:
        self.open[address] += 1

    def end(self, address: str) -> None:
        self.open[address] -= 1
        if not self.open[address]:
            del self.open[address]


class Guarded(asyncio.Protocol):
    """A connection that is counted, refused when there are too many, and ended when its first header does not come.

    `make` gives the protocol that serves it; later headers and idle connections are that protocol's own business.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], connections: Connections) -> None:
        self._make, self._connections = make, connections
        self._inner: asyncio.Protocol | None = None
        self._address, self._seen = "", b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport) -> None:
        self._address = (transport.get_extra_info("peername") or ("",))[0]
        if not self._connections.admits(self._address):
            transport.abort()
            return
        self._connections.begin(self._address)
        self._inner = self._make()
        self._timer = asyncio.get_running_loop().call_later(self._connections.header_seconds, transport.abort)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is None:
            return
        if self._timer is not None:
            self._seen = (self._seen + data)[:_LONGEST_HEADER]
            if _END_OF_HEADER in self._seen or len(self._seen) == _LONGEST_HEADER:
                self._stop_waiting()
        self._inner.data_received(data)

    def eof_received(self):
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_waiting()
        if self._inner is not None:
            self._connections.end(self._address)
            self._inner.connection_lost(error)
            self._inner = None

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._seen = None, b""
