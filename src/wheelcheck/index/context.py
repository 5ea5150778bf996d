"""What all readers of an index share: the transport, the cache, and which source a file belongs to."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from wheelcheck.common.errors import UndeterminedError
from wheelcheck.common.records import record
from wheelcheck.common.threads import Task, Turns, Workers
from wheelcheck.common.urls import path_of_url
from wheelcheck.index.cache.stamps import Stamp
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.http.auth import split_credentials
from wheelcheck.index.http.lazy_client import LazyTransport
from wheelcheck.index.sources import Local, Placed, Remote

if TYPE_CHECKING:
    from wheelcheck.index.http.auth import Credentials, Login, Logins, Origin
    from wheelcheck.index.http.client import Transport
    from wheelcheck.index.snapshot_index import Recording
    from wheelcheck.standards.project_page import Listed

T = TypeVar("T")
Failure: TypeAlias = "Callable[[str, str], UndeterminedError]"
"""Create an error from a file's name and what is wrong with it."""


@record(kw_only=False)
class Known(Generic[T]):
    """A result that the cache has without a request."""

    value: T


class FetchContext:
    """Access to some sources.

    Attributes:
        logins: finds credentials.
        cache: where answers are stored.
        offline: no request may be made; cached answers count, however old.
        refresh: cached answers are revalidated.
        local_hashes: the algorithms for hashes of local files.
        unsupported: what servers were found not to support; see `RemoteFile`.
        recordings: the manifests of sources that are snapshots.
        cached: the number of answers from the cache.
        cache_stamps: the cache files behind the answer, with their stamps.
        fresh_until: the time until which they are fresh; 0 where something was not stored.
        oldest: when the oldest page in use was received, in seconds since the epoch; None without one.
    """

    def __init__(
        self,
        sources: Sequence[Placed],
        line: LazyTransport,
        logins: Logins,
        cache: Cache,
        *,
        offline: bool,
        refresh: bool,
        local_hashes: Collection[str],
    ) -> None:
        self._line = line
        self.logins = logins
        self.cache = cache
        self.offline = offline
        self.refresh = refresh and not offline
        self.local_hashes = frozenset(local_hashes)
        self.unsupported: set[tuple[Origin, str]] = set()
        self.cached = 0
        self.cache_stamps: dict[str, Stamp] = {}
        self.fresh_until = math.inf
        self.oldest: float | None = None
        self._by_label = {source.label: source for source in reversed(sources)}
        self.recordings = [source.recorded for source in sources if isinstance(source, Local) and source.recorded]
        self._turns = Turns()
        self._keeper = Workers(1)
        self._deferred: deque[Task[None]] = deque()
        self._lock = threading.Lock()
        self._client = line.options.client

    @property
    def transport(self) -> Transport:
        """The HTTP transport."""
        return self._line.transport

    # -- who may see what is stored

    def login_digest(self, url: str, login: Login | None = None, *, keyring: bool = True) -> str:
        """Return a salted digest of the credentials and the client certificate that a request would send.

        It is empty for none.

        What was received with credentials is stored under it, so that only who has them gets it without asking.

        Args:
            url: the URL, perhaps with credentials.
            login: a login that precedes all others of its origin.
            keyring: whether those count that the keyring has supplied so far.
        """
        try:
            bare, inline = split_credentials(url)
            return self._digest(self.logins.find(bare, inline, login, keyring=keyring))
        except ValueError:  # a malformed URL, to which nothing is sent
            return ""

    def sent_digests(self, sent: Mapping[str, Credentials]) -> dict[str, str]:
        """Return salted digests of the credentials that were sent, by URL."""
        return {url: self._digest(credentials) for url, credentials in sent.items()}

    def would_send(self, digests: Mapping[str, str], login: Login | None = None) -> bool:
        """Return whether requests would send the same credentials as those of `sent_digests`.

        The keyring is asked only where something was received with credentials that are not known otherwise.
        """
        for url, digest in digests.items():
            if self.login_digest(url, login) == digest:
                continue
            if not self.logins.has_others(url, None, login, None) or self.login_digest(url, login) != digest:
                return False
        return True

    def bare(self, url: str) -> str:
        """Return a URL without credentials, for the key of what is stored."""
        try:
            return split_credentials(url)[0]
        except ValueError:
            return url

    def _digest(self, credentials: Credentials | None) -> str:
        if credentials is None and not self._client:
            return ""
        return self.cache.salted(f"{credentials.text if credentials else ''}\0{self._client.hex()}")

    def turn(self, size: float) -> AbstractContextManager[None]:
        """Hold a turn for long computation: one thread at a time, the smallest piece first."""
        return self._turns.of(size)

    def run_last(self, work: Callable[[], None]) -> None:
        """Queue work that no answer waits for, to be done by a background thread."""
        task = Task(partial(self._run_deferred, work))
        self._deferred.append(task)
        self._keeper.submit(task.run)

    def _run_deferred(self, work: Callable[[], None]) -> None:
        with self.turn(math.inf):
            work()

    def settle(self) -> None:
        """Wait until the queue is empty, and help with it."""
        while self._deferred:
            task = self._deferred.popleft()
            task.run()
            while not task.wait(1.0):
                pass
            task.answer()

    def close(self) -> None:
        """Drop the queue."""
        self._keeper.close()

    def note_cached(self) -> None:
        """Count an answer from the cache."""
        with self._lock:
            self.cached += 1

    def note_kept(self, cache_stamps: Mapping[str, Stamp], fresh_until: float) -> None:
        """Record the cache files in use, and the time until which they are fresh."""
        with self._lock:
            self.cache_stamps.update(cache_stamps)
            self.fresh_until = min(self.fresh_until, fresh_until)

    def note_page(self, answered: float) -> None:
        """Record when a page in use was received."""
        with self._lock:
            self.oldest = min(answered, self.oldest or answered)

    def path_of(self, file: Listed, failure: Failure) -> Path | None:
        """Return the path of a local file; a page of a server cannot point at one. Raises the failure."""
        if file.path is not None:
            return Path(file.path)
        path = path_of_url(file.url)
        if path is None:
            return None
        if file.index and not isinstance(self._by_label.get(file.index), Local):
            raise failure(file.filename, "its index is on a server and points at a local file")
        return Path(path)

    def recording_of(self, file: Listed) -> Recording | None:
        """Return the snapshot that lists a file, if one does."""
        return next((found for found in self.recordings if found.holds(file)), None)

    def login_of(self, file: Listed) -> Login | None:
        """Return the login of the source that lists a file."""
        source = self._by_label.get(file.index)
        return source.login if isinstance(source, Remote) else None
