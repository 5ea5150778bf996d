"""What the indexes list: project pages and the metadata of their files, fetched ahead by threads.

Each page of a source and each file's metadata is one task, run once. `start_page` and `start_metadata` only begin it,
`page` and `metadata` give what it came to, so that fetching ahead can never change an answer. A task never waits for
another. Metadata belongs to a file and not to a version: wheels of one version disagree.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from wheelcheck.common.threads import Countdown, Task, Workers
from wheelcheck.index.cache.stamps import Stamp
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.context import FetchContext, Known
from wheelcheck.index.http.lazy_client import LazyTransport
from wheelcheck.index.http.options import TransportOptions
from wheelcheck.index.metadata import identity_of, known_metadata, read_metadata
from wheelcheck.index.pages import known_links, known_page, read_links, read_page
from wheelcheck.index.sources import FindLinks, Local, Placed, Remote, SimpleIndex, Source, placed
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile, merged
from wheelcheck.standards.source_metadata import MetadataResult

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Counters", "FindLinks", "Index", "SimpleIndex", "Source", "MetadataResult", "identity_of"]

T = TypeVar("T")


class Counters(NamedTuple):
    """What an answer has cost: requests made, bytes received, and answers that came from the cache instead."""

    requests: int
    bytes: int
    cached: int


class Index:
    """Project pages and metadata from several sources, in their order.

    Args:
        sources: where to look; all are asked, each once, and a project's page is what all of them list.
        cache: what was answered before.
        transport_options: how servers are reached.
        offline: make no request; what is cached counts, however old.
        refresh: ask again for what is cached.
        workers: the most requests at once.
        strategy: ``best-match``: an index counts like any other; ``first-index``: the first index that has a project
            supplies it, the next one is asked only where it has not, and places of links always count.
        local_hashes: algorithms, such as ``sha256``, whose digests local files bear even where nobody states them;
            each is computed once somebody looks at it.

    Raises:
        UsageError: a source that is neither an address nor a directory.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        cache: Cache,
        transport_options: TransportOptions | None = None,
        offline: bool = False,
        refresh: bool = False,
        workers: int = 20,
        strategy: str = "best-match",
        local_hashes: Collection[str] = (),
    ) -> None:
        self._sources = tuple(map(placed, dict.fromkeys(sources)))
        self._line = LazyTransport(
            transport_options or TransportOptions(),
            connections=workers + 2,
            logins=[source.login for source in self._sources if isinstance(source, Remote) and source.login],
            indexes=[source.url for source in self._sources if isinstance(source, Remote) and not source.links],
        )
        self._access = FetchContext(
            self._sources, self._line, cache, offline=offline, refresh=refresh, local_hashes=local_hashes
        )
        self._asks = not offline and any(isinstance(source, Remote) for source in self._sources)
        self._groups = _groups(self._sources, strategy)
        self._workers = Workers(workers)
        self._lock = threading.Lock()
        self._tasks: dict[object, Task[Any]] = {}
        self._pages: dict[NormalizedName, ProjectPage | None] = {}
        self._put_off: deque[Callable[[], None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.settle()
        self.close()

    def settle(self) -> None:
        """Comes back when all that was answered is in the cache, which no answer waits for."""
        self._access.settle()

    def close(self) -> None:
        """Ends all requests; nothing can be asked any more."""
        self._workers.close()
        self._line.close()
        self._access.close()

    @property
    def sources(self) -> tuple[str, ...]:
        """How the sources are named in answers, credentials masked."""
        return tuple(source.label for source in self._sources)

    @property
    def origins(self) -> tuple[str, ...]:
        """The sources that the answer is about: for a snapshot those that were recorded, for any other it itself."""
        of_source = (
            source.recorded.sources if isinstance(source, Local) and source.recorded else (source.label,)
            for source in self._sources
        )
        return tuple(chain.from_iterable(of_source))

    @property
    def recorded_order(self) -> tuple[str, ...]:
        """The indexes of a snapshot in the order in which ``first-index`` asks them; empty for any other index."""
        return next((recording.order for recording in self._access.recordings), ())

    def recorded_near(self, name: NormalizedName) -> tuple[NormalizedName, ...] | None:
        """The projects with a like name that were offered when a snapshot recorded that this one is missing."""
        found = [near for recording in self._access.recordings if (near := recording.near(name)) is not None]
        return tuple(map(canonicalize_name, found[0])) if found else None

    @property
    def counters(self) -> Counters:
        """What was asked of servers so far."""
        return Counters(*self._line.spent, self._access.cached)

    @property
    def oldest(self) -> float | None:
        """When the oldest page that was used was answered, in seconds since the epoch; None without such a page."""
        return self._access.oldest

    @property
    def stamps(self) -> tuple[Mapping[str, Stamp], float]:
        """The files in the cache on which all answers so far stand, and the time until which they may."""
        self.settle()
        return dict(self._access.places), self._access.until

    @property
    def answered(self) -> int:
        """How many pages and metadata were given: what an answer from the cache alone would count as cached."""
        return sum(task.is_done for task in list(self._tasks.values()))

    def cached_names(self) -> frozenset[NormalizedName]:
        """Projects whose pages are in the cache."""
        self.settle()
        return self._access.cache.names()

    # -- pages

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Begins to fetch a page from every source.

        Args:
            name: the project.
            then: called with the merged page, if there is one, in a worker or before anything is waited for; it may
                call `start_page` and `start_metadata` only, and what it raises is dropped, because an answer cannot
                depend on it.
        """
        tasks = self._page_tasks(name)
        if then is None:
            return
        tell = partial(_quietly, partial(self._hand_on, name, then))
        if all(task.is_done for task in tasks):
            self._put_off.append(tell)
            return
        countdown = Countdown(len(tasks) + 1, tell)
        for task in tasks:
            task.follow(countdown)
        countdown(self._workers.submit)

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """What all sources list of a project, in their order; None if each of them says that it is not there.

        Raises:
            UndeterminedError: a source that did not answer, or not with a page; which of its kinds says why.
        """
        if name not in self._pages:
            tasks = self._page_tasks(name)
            for task in tasks:
                self._await(task)
            self._pages.setdefault(name, self._merged(name, tasks))
        return self._pages[name]

    def _hand_on(self, name: NormalizedName, then: Callable[[ProjectPage], None]) -> None:
        page = self._pages.get(name) or self._pages.setdefault(name, self._merged(name, self._page_tasks(name)))
        if page is not None:
            then(page)

    def _merged(self, name: NormalizedName, tasks: Sequence[Task[Any]]) -> ProjectPage | None:
        answers = [task.answer() for task in tasks]
        found = [
            answer.get(name) if group[0].links else answer for group, answer in zip(self._groups, answers, strict=True)
        ]
        pages = [page for page in found if page is not None]
        return merged(name, pages) if pages else None

    def _page_tasks(self, name: NormalizedName) -> list[Task[Any]]:
        return [self._page_task(at, group, name) for at, group in enumerate(self._groups)]

    def _page_task(self, at: int, group: Sequence[Placed], name: NormalizedName) -> Task[Any]:
        access, source = self._access, group[0]
        if source.links:
            return self._task((at, None), partial(read_links, access, source), partial(known_links, access, source))
        of_group = access, group, name
        return self._task((at, name), partial(_read_first, *of_group), partial(_known_first, *of_group))

    # -- files

    def start_metadata(self, file: Listed, then: Callable[[object], None] | None = None) -> None:
        """Begins to fetch the metadata of a file.

        Args:
            file: which one.
            then: called with what it came to, under the conditions of `start_page`.
        """
        task = self._metadata_task(file)
        if then is not None:
            tell = partial(_quietly, lambda: then(task.answer()))
            self._put_off.append(tell) if task.is_done else task.follow(tell)

    def metadata(self, file: Listed) -> MetadataResult:
        """The core metadata of this very file, or why the file is refused for good.

        Raises:
            Unreadable: it is out of reach.
            UndeterminedError: the server that has it did not answer; which of its kinds says why.
        """
        task = self._metadata_task(file)
        self._await(task)
        return task.answer()

    def _metadata_task(self, file: Listed) -> Task[MetadataResult]:
        work = partial(read_metadata, self._access, file)
        return self._task(identity_of(file), work, partial(known_metadata, self._access, file))

    def direct(self, url: str, name: NormalizedName, wanted: Collection[str] = ()) -> Listed | UnreadableFile:
        """The file that the user names for a project, or its name with why it is not one of that project.

        Args:
            url: where it is: a wheel, a source archive, or a directory with a pyproject.toml.
            name: the project.
            wanted: digests (``sha256:...``) of which it must bear one; if there are any, it has its own under `hashes`.

        Raises:
            Unreadable: it is out of reach, is no project, or only a build can tell its version or dependencies.
            UndeterminedError: its server did not answer; which of its kinds says why.
        """
        from wheelcheck.index.direct_urls import read_direct

        work = partial(read_direct, self._access, url, name, wanted)
        task = self._task(("direct", url, *sorted(wanted)), work, lambda: None)
        self._await(task)
        file, told = task.answer()
        if told is not None and not isinstance(file, UnreadableFile):
            self._task(identity_of(file), lambda: told, lambda: Known(told))
        return file

    def download(self, file: Listed, destination: Path, progress: Callable[[int], None] | None = None) -> None:
        """Puts a file at a path, all its stated hashes checked; nothing is there before that.

        Args:
            file: what to fetch.
            destination: where to put it; its folder exists.
            progress: told the number of bytes so far.

        Raises:
            NotDownloaded: the file is gone, its hashes differ, or it cannot be written.
            UndeterminedError: its server did not answer.
        """
        from wheelcheck.index.downloads import download

        download(self._access, file, destination, progress or (lambda _: None))

    # -- tasks

    def _task(self, key: object, work: Callable[[], T], known: Callable[[], Known[T] | None]) -> Task[T]:
        """The task of a key. What the cache knows is taken from there at once: a thread would cost more than that."""
        found = self._tasks.get(key)
        if found is not None:
            return found
        answer = known()
        with self._lock:
            found = self._tasks.get(key)
            if found is not None:
                return found
            task = Task(work)
            if answer is not None:
                task.settle(answer.value)
            self._tasks[key] = task  # settled before, since others find it there without the lock
        if answer is None:
            _load_for_workers(self._asks)
            self._workers.submit(task.run)
        return task

    def _await(self, task: Task[Any]) -> None:
        """Waits for a task, which goes to the front if no thread has taken it yet.

        What can be begun on account of pages that were there already is begun now, since there is time for it.
        """
        while self._put_off and not task.is_done:
            self._put_off.popleft()()
        if task.thread is None:
            self._workers.submit(task.run, first=True)
        while not task.wait(1.0):
            overdue = self._line.overdue(task.thread)
            if overdue is not None:
                raise overdue


@lru_cache(maxsize=2)
def _load_for_workers(asks: bool) -> None:
    """Loads what the workers use, here: a test runner that rewrites modules fails where threads import them at once.

    What asks servers is here before the first request, so that all else is loaded while that is under way.
    """
    from wheelcheck.index import fetch_metadata, local_files  # noqa: F401
    from wheelcheck.index.http import client
    from wheelcheck.standards import simple_html  # noqa: F401

    if asks:
        client.load()


def _quietly(work: Callable[[], None]) -> None:
    """Does what fetches ahead. It decides nothing, so whoever asks meets its failures, and nobody else."""
    with suppress(Exception):
        work()


def _groups(sources: Sequence[Placed], strategy: str) -> list[tuple[Placed, ...]]:
    """Sources of which the first that has a project supplies it: each alone, or under ``first-index`` all indexes."""
    if strategy != "first-index":
        return [(source,) for source in sources]
    indexes = tuple(source for source in sources if not source.links)
    return [*((source,) for source in sources if source.links), *([indexes] if indexes else [])]


def _read_first(access: FetchContext, group: Sequence[Placed], name: NormalizedName) -> ProjectPage | None:
    """The page of the first index that has a project; those behind it are not asked. Raises as `read_page` does."""
    pages = (read_page(access, source, name) for source in group)
    return next((page for page in pages if page is not None), None)


def _known_first(
    access: FetchContext, group: Sequence[Placed], name: NormalizedName
) -> Known[ProjectPage | None] | None:
    """What `_read_first` gives, where the cache knows it."""
    known: Known[ProjectPage | None] | None = None
    for source in group:
        known = known_page(access, source, name)
        if known is None or known.value is not None:
            return known
    return known
