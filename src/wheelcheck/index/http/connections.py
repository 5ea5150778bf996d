"""Open connections to servers, each used by one request at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wheelcheck.index.http.auth import Origin

if TYPE_CHECKING:
    import httpx


class Connection:
    """A client for one connection, with one request at a time: a pool of many looks through all for each request."""

    def __init__(self, client: httpx.HTTPTransport) -> None:
        self.client = client
        self._stream: Any = None

    def watch(self, event: str, about: Mapping[str, Any]) -> None:
        """Is told what the client does, and so of each new stream (the extension ``trace`` of httpx)."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = about["return_value"]

    def hang_up(self) -> None:
        """Lets the other side have hung up, for whoever reads."""
        import socket

        found = self._stream.get_extra_info("socket") if self._stream is not None else None
        if isinstance(found, socket.socket):
            with suppress(OSError):  # shutdown of an SSLSocket would let its reader go on in plain text
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class Connections:
    """Connections that wait for their next request: the one that was used last is taken first.

    Args:
        most: how many may wait; beyond it the one that has waited longest is closed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: deque[tuple[Origin, Connection]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def take(self, origin: Origin) -> Connection | None:
        """One to an origin, which is nobody else's until it is given back."""
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == origin:
                    connection = self._idle[place][1]
                    del self._idle[place]
                    return connection
        return None

    def give(self, origin: Origin, connection: Connection) -> None:
        """Takes a connection back, or closes it where it is not wanted any more."""
        with self._lock:
            self._idle.append((origin, connection))
            surplus = len(self._idle) > (0 if self._closed else self._most)
            oldest = self._idle.popleft()[1] if surplus else None
        if oldest is not None:
            oldest.client.close()

    def close(self) -> None:
        """Closes all that wait now, and each other one when it is given back."""
        with self._lock:
            self._closed = True
            waiting, self._idle = self._idle, deque()
        for _, connection in waiting:
            connection.client.close()
