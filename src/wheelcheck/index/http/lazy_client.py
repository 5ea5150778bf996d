"""An HTTP transport that is created on first use: an answer from the cache needs no HTTP client."""

from __future__ import annotations

import threading

from wheelcheck.common.errors import TimedOut
from wheelcheck.index.http.auth import Logins
from wheelcheck.index.http.client import Transport
from wheelcheck.index.http.options import TransportOptions


class LazyTransport:
    """Create a `Transport` on first use.

    Args:
        options: how the index is reached.
        connections: the maximum number of connections.
        logins: finds credentials.
    """

    def __init__(self, options: TransportOptions, *, connections: int, logins: Logins) -> None:
        self.options = options
        self._connections, self._logins = connections, logins
        self._lock = threading.Lock()
        self._made: Transport | None = None
        self._closed = False

    @property
    def transport(self) -> Transport:
        """The transport, created if necessary."""
        from wheelcheck.index.http.client import Transport

        with self._lock:
            if self._made is None:
                self._made = Transport(self.options, connections=self._connections, logins=self._logins)
                if self._closed:
                    self._made.close()
            return self._made

    @property
    def spent(self) -> tuple[int, int]:
        """The requests made and the bytes received so far."""
        return (self._made.requests, self._made.bytes) if self._made else (0, 0)

    def overdue(self, thread: int | None) -> TimedOut | None:
        """Return the error for a thread's request that outlives its deadline, if there is one."""
        return self._made.overdue(thread) if self._made and thread is not None else None

    def close(self) -> None:
        """Close the transport; where there was none, later requests fail like running ones."""
        with self._lock:
            self._closed = True
            if self._made is not None:
                self._made.close()
