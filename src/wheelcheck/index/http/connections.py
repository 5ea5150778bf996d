"""Pooled connections, each with one request at a time."""

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
    """A client for one connection with one request at a time, since a shared httpx pool scans all of its
    connections.

    Args:
        client: the client.
        proxied: whether it connects to a proxy.
    """

    def __init__(self, client: httpx.HTTPTransport, *, proxied: bool) -> None:
        self.client = client
        self.proxied = proxied
        self._stream: Any = None

    def watch(self, event: str, about: Mapping[str, Any]) -> None:
        """Record each new stream, as httpx reports it (extension ``trace``)."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = about["return_value"]

    def hang_up(self) -> None:
        """Shut the socket down so that a blocked reader gets EOF."""
        import socket

        found = self._stream.get_extra_info("socket") if self._stream is not None else None
        if isinstance(found, socket.socket):
            with suppress(OSError):  # shutdown of an SSLSocket would let its reader go on in plain text
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class Connections:
    """Idle connections; the most recently used one is taken first.

    Args:
        most: the maximum number of idle connections; beyond it the oldest is closed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: deque[tuple[Origin, Connection]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def take(self, origin: Origin) -> Connection | None:
        """Take a connection to an origin for exclusive use."""
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == origin:
                    connection = self._idle[place][1]
                    del self._idle[place]
                    return connection
        return None

    def give(self, origin: Origin, connection: Connection) -> None:
        """Return a connection, or close it where it is surplus."""
        with self._lock:
            self._idle.append((origin, connection))
            surplus = len(self._idle) > (0 if self._closed else self._most)
            oldest = self._idle.popleft()[1] if surplus else None
        if oldest is not None:
            oldest.client.close()

    def close(self) -> None:
        """Close all idle connections now, and others when they are returned."""
        with self._lock:
            self._closed = True
            waiting, self._idle = self._idle, deque()
        for _, connection in waiting:
            connection.client.close()
