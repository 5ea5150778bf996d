"""What all reading of an index shares: the transport, the cache, what may be asked, and whose file is whose."""

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
from wheelcheck.index.http.lazy_client import LazyTransport
from wheelcheck.index.sources import Local, Placed, Remote

if TYPE_CHECKING:
    from wheelcheck.index.http.auth import Login, Origin
    from wheelcheck.index.http.client import Transport
    from wheelcheck.index.snapshot_index import Recording
    from wheelcheck.standards.project_page import Listed

T = TypeVar("T")
Failure: TypeAlias = "Callable[[str, str], UndeterminedError]"
"""Makes what is raised of a file's name and of what is wrong with it."""


@record(kw_only=False)
class Known(Generic[T]):
    """What the cache knows without a request."""

    value: T


class FetchContext:
    """The way to some sources.

    Attributes:
        cache: where answers are kept.
        offline: no request may be made; what is cached counts, however old.
        refresh: what is cached is asked for again.
        local_hashes: the algorithms whose digests are wanted of every local file.
        unable: what servers were found not to do; see `RemoteFile`.
        recordings: the manifests of the sources that are snapshots.
        cached: how many answers came from the cache.
        places: the files in the cache that the answer stands on, with what shows that one was replaced.
        until: until when it may stand on them; 0 where something that it stands on is not kept.
        oldest: when the oldest page that was used was answered, in seconds since the epoch; None without such a page.
    """

    def __init__(
        self,
        sources: Sequence[Placed],
        line: LazyTransport,
        cache: Cache,
        *,
        offline: bool,
        refresh: bool,
        local_hashes: Collection[str],
    ) -> None:
        self._line = line
        self.cache = cache
        self.offline = offline
        self.refresh = refresh and not offline
        self.local_hashes = frozenset(local_hashes)
        self.unable: set[tuple[Origin, str]] = set()
        self.cached = 0
        self.places: dict[str, Stamp] = {}
        self.until = math.inf
        self.oldest: float | None = None
        self._by_label = {source.label: source for source in reversed(sources)}
        self.recordings = [source.recorded for source in sources if isinstance(source, Local) and source.recorded]
        self._turns = Turns()
        self._keeper = Workers(1)
        self._put_off: deque[Task[None]] = deque()
        self._lock = threading.Lock()

    @property
    def transport(self) -> Transport:
        """The way to servers."""
        return self._line.transport

    def turn(self, size: float) -> AbstractContextManager[None]:
        """Held while something is computed for long: one thread at a time, the one with the least to do first."""
        return self._turns.of(size)

    def later(self, work: Callable[[], None]) -> None:
        """Has something done that no answer waits for: in a thread of its own, after all that waits for its turn."""
        task = Task(partial(self._at_last, work))
        self._put_off.append(task)
        self._keeper.submit(task.run)

    def _at_last(self, work: Callable[[], None]) -> None:
        with self.turn(math.inf):
            work()

    def settle(self) -> None:
        """Comes back when all that was put off is done; helps with it."""
        while self._put_off:
            task = self._put_off.popleft()
            task.run()
            while not task.wait(1.0):
                pass
            task.answer()

    def close(self) -> None:
        """Forgets what was put off."""
        self._keeper.close()

    def note_cached(self) -> None:
        """Counts an answer that came from the cache."""
        with self._lock:
            self.cached += 1

    def note_kept(self, places: Mapping[str, Stamp], until: float) -> None:
        """Takes down where something that is used is kept, and until when it may be used without asking."""
        with self._lock:
            self.places.update(places)
            self.until = min(self.until, until)

    def note_page(self, answered: float) -> None:
        """Takes down when a page that is used was answered."""
        with self._lock:
            self.oldest = min(answered, self.oldest or answered)

    def path_of(self, file: Listed, failure: Failure) -> Path | None:
        """The path of a file that is on this machine; a page of a server cannot point at one. Raises the failure."""
        if file.path is not None:
            return Path(file.path)
        path = path_of_url(file.url)
        if path is None:
            return None
        if file.index and not isinstance(self._by_label.get(file.index), Local):
            raise failure(file.filename, "its index is on a server and points at a local file")
        return Path(path)

    def recording_of(self, file: Listed) -> Recording | None:
        """The snapshot that lists a file, if one does."""
        return next((found for found in self.recordings if found.holds(file)), None)

    def login_of(self, file: Listed) -> Login | None:
        """What the source that lists a file was given for its server."""
        source = self._by_label.get(file.index)
        return source.login if isinstance(source, Remote) else None
