"""Package indexes: project pages and the metadata of files, fetched ahead by threads.

Each page of a source and each file's metadata is one task, run once. `start_page` and `start_metadata` only start it,
`page` and `metadata` return its result, so prefetching can never change an answer. A task never waits for another.
Metadata belongs to a file, not to a version: wheels of one version disagree.
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

from wheelcheck.common.errors import UndeterminedError, Unreadable, UsageError
from wheelcheck.common.progress import ACTIVITY
from wheelcheck.common.threads import Countdown, Task, Workers
from wheelcheck.common.urls import mask, shown
from wheelcheck.index.cache.stamps import Stamp
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.context import FetchContext, Known
from wheelcheck.index.http.auth import Logins
from wheelcheck.index.http.lazy_client import LazyTransport
from wheelcheck.index.http.options import TransportOptions
from wheelcheck.index.metadata import identity_of, known_metadata, read_metadata
from wheelcheck.index.pages import known_links, known_page, read_links, read_page
from wheelcheck.index.sources import FindLinks, Local, Placed, Remote, SimpleIndex, Source, placed
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.file_problems import BadMetadata, FileRefusedError
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile, merged
from wheelcheck.standards.source_metadata import MetadataResult, checked_metadata, contradiction

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Counters", "FindLinks", "Index", "SimpleIndex", "Source", "MetadataResult", "identity_of"]

T = TypeVar("T")


class Counters(NamedTuple):
    """The cost of an answer: requests, bytes received, and answers that came from the cache instead."""

    requests: int
    bytes: int
    cached: int


class Index:
    """Project pages and metadata from several sources, in order.

    Args:
        sources: where to look; all are queried, each once, and merged into one page a project.
        cache: earlier answers.
        transport_options: how servers are reached.
        offline: make no request; cached answers count, however old.
        refresh: revalidate what is cached.
        workers: the maximum number of requests at once.
        strategy: ``best-match``: all indexes count alike; ``first-index``: a project comes from the first index that
            has it, and the next one is queried only if that has not. Find-links locations always count.
        local_hashes: algorithms, such as ``sha256``, for hashes of local files, each computed on access.

    Raises:
        UsageError: a source is neither a URL nor a directory.
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
        transport_options = transport_options or TransportOptions()
        remote = [source for source in self._sources if isinstance(source, Remote)]
        logins = Logins(
            [source.login for source in remote if source.login],
            [source.url for source in remote if not source.links],
            transport_options.keyring_provider,
        )
        self._transport = LazyTransport(transport_options, connections=workers + 2, logins=logins)
        self._context = FetchContext(
            self._sources, self._transport, logins, cache, offline=offline, refresh=refresh, local_hashes=local_hashes
        )
        self._asks = not offline and any(isinstance(source, Remote) for source in self._sources)
        self._groups = _groups(self._sources, strategy)
        self._workers = Workers(workers)
        self._lock = threading.Lock()
        self._tasks: dict[object, Task[Any]] = {}
        self._pages: dict[NormalizedName, ProjectPage | None] = {}
        self._deferred: deque[Callable[[], None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.settle()
        self.close()

    def settle(self) -> None:
        """Wait until everything that was received is in the cache; no answer waits for that."""
        self._context.settle()

    def close(self) -> None:
        """End all requests; the index cannot be used any more."""
        self._workers.close()
        self._transport.close()
        self._context.close()

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources in reports, credentials masked."""
        return tuple(source.label for source in self._sources)

    @property
    def origins(self) -> tuple[str, ...]:
        """The sources that the answer is about: those of the recording for a snapshot, otherwise the source itself."""
        of_source = (
            source.recorded.sources if isinstance(source, Local) and source.recorded else (source.label,)
            for source in self._sources
        )
        return tuple(chain.from_iterable(of_source))

    @property
    def recorded_order(self) -> tuple[str, ...]:
        """The indexes of a snapshot in the order in which ``first-index`` asks them; empty for other indexes."""
        return next((recording.order for recording in self._context.recordings), ())

    def recorded_near(self, name: NormalizedName) -> tuple[NormalizedName, ...] | None:
        """Return the similar names that were suggested when a snapshot recorded that a project is missing."""
        found = [near for recording in self._context.recordings if (near := recording.near(name)) is not None]
        return tuple(map(canonicalize_name, found[0])) if found else None

    @property
    def counters(self) -> Counters:
        """What was requested from servers so far."""
        return Counters(*self._transport.spent, self._context.cached)

    @property
    def oldest(self) -> float | None:
        """When the oldest page in use was received, in seconds since the epoch; None without one."""
        return self._context.oldest

    @property
    def stamps(self) -> tuple[Mapping[str, Stamp], float]:
        """The files behind all answers so far, of the cache and netrc, with their stamps; the time until which they are
        fresh.
        """
        self.settle()
        netrc, is_known = self._context.logins.stamps
        return {**self._context.cache_stamps, **netrc}, self._context.fresh_until if is_known else 0

    @property
    def answered(self) -> int:
        """The number of pages and metadata that were returned, which a repeated answer counts as cached."""
        return sum(task.is_done for task in list(self._tasks.values()))

    def cached_names(self) -> frozenset[NormalizedName]:
        """Return the projects whose pages are in the cache."""
        self.settle()
        return self._context.cache.names()

    # -- pages

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Begin to fetch a page from every source.

        Args:
            name: the project.
            then: called with the merged page, if there is one, in a worker or before something is waited for; it may
                only call `start_page` and `start_metadata`. What it raises is dropped, since no answer may depend on
                it.
        """
        tasks = self._page_tasks(name)
        if then is None:
            return
        tell = partial(_quietly, partial(self._hand_on, name, then))
        if all(task.is_done for task in tasks):
            self._deferred.append(tell)
            return
        countdown = Countdown(len(tasks) + 1, tell)
        for task in tasks:
            task.follow(countdown)
        countdown(self._workers.submit)

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """Return what all sources list of a project, in order; None if none of them has it.

        Raises:
            UndeterminedError: a source could not be asked, or its answer is not a page.
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
        context, source = self._context, group[0]
        if source.links:
            return self._task((at, None), partial(read_links, context, source), partial(known_links, context, source))
        of_group = context, group, name
        return self._task((at, name), partial(_read_first, *of_group), partial(_known_first, *of_group))

    # -- files

    def start_metadata(self, file: Listed, then: Callable[[object], None] | None = None) -> None:
        """Begin to fetch the metadata of a file.

        Args:
            file: the file.
            then: called with the result, as for `start_page`.
        """
        task = self._metadata_task(file)
        if then is not None:
            tell = partial(_quietly, lambda: then(task.answer()))
            self._deferred.append(tell) if task.is_done else task.follow(tell)

    def metadata(self, file: Listed) -> MetadataResult:
        """Return the core metadata of this very file, or the reason to reject the file.

        Raises:
            Unreadable: the metadata is out of reach.
            UndeterminedError: the server could not be asked.
        """
        task = self._metadata_task(file)
        self._await(task)
        return task.answer()

    def _metadata_task(self, file: Listed) -> Task[MetadataResult]:
        work = partial(read_metadata, self._context, file)
        return self._task(identity_of(file), work, partial(known_metadata, self._context, file))

    def direct(self, url: str, name: NormalizedName, wanted: Collection[str] = ()) -> Listed | UnreadableFile:
        """Return the file that the user names for a project, or its name with the reason why it is not one.

        Args:
            url: the URL of a wheel, a source archive, or a directory with a pyproject.toml.
            name: the project.
            wanted: hashes (``sha256:...``) of which it must have one; if there are any, its own are under `hashes`.

        Raises:
            Unreadable: it is out of reach, is no project, or only a build can tell its version or dependencies.
            UndeterminedError: its server could not be asked.
        """
        from wheelcheck.index.direct_urls import read_direct

        work = partial(read_direct, self._context, url, name, wanted)
        task = self._task(("direct", url, *sorted(wanted)), work, lambda: None)
        self._await(task)
        file, metadata = task.answer()
        if metadata is not None and not isinstance(file, UnreadableFile):
            self._task(identity_of(file), lambda: metadata, lambda: Known(metadata))
        return file

    def download(self, file: Listed, destination: Path, progress: Callable[[int], None] | None = None) -> None:
        """Download a file and check all its published hashes; nothing appears at the path before that.

        Args:
            file: the file.
            destination: the path to write; its directory exists.
            progress: called with the number of bytes so far.

        Raises:
            FileRefusedError: its hashes differ.
            NotDownloaded: the file is gone, or it cannot be written.
            UndeterminedError: its server could not be asked.
        """
        from wheelcheck.index.downloads import download

        begun = ACTIVITY.done

        def tell(size: int) -> None:
            ACTIVITY.done = begun + size

        download(self._context, file, destination, progress or tell)

    def verify(self, file: Listed, path: Path) -> None:
        """Hold the metadata that answers were made from against that inside the file, now that it is in hand.

        Raises:
            FileRefusedError: the two differ in a field that decides.
        """
        from wheelcheck.index.fetch_metadata import contradicted, metadata_in

        task = self._tasks.get(identity_of(file))
        used = task.answer() if task is not None and task.is_done else None
        if not isinstance(used, Metadata):
            return
        with path.open("rb") as handle:
            body = metadata_in(file, handle)
        own = body if isinstance(body, BadMetadata) else checked_metadata(file, body)
        field = contradiction(own, used) if isinstance(own, Metadata) else None
        if isinstance(own, BadMetadata):
            raise FileRefusedError(file, own)
        if field is not None:
            raise FileRefusedError(file, contradicted(field))

    # -- tasks

    def _task(self, key: object, work: Callable[[], T], known: Callable[[], Known[T] | None]) -> Task[T]:
        """Return the task for a key. What is cached is taken in this thread, since handing it to another costs more."""
        found = self._tasks.get(key)
        if found is not None:
            return found
        answer = known()
        with self._lock:
            found = self._tasks.get(key)
            if found is not None:
                return found
            task = Task(partial(_sentenced, work, key))
            if answer is not None:
                task.settle(answer.value)
            self._tasks[key] = task  # settled before, since others find it there without the lock
        if answer is None:
            _load_for_workers(self._asks)
            self._workers.submit(task.run)
        return task

    def _await(self, task: Task[Any]) -> None:
        """Wait for a task, which goes to the front if no thread has taken it yet.

        Prefetching that pages from the cache call for is started now, since there is time for it.
        """
        while self._deferred and not task.is_done:
            self._deferred.popleft()()
        if task.thread is None:
            self._workers.submit(task.run, first=True)
        while not task.wait(1.0):
            overdue = self._transport.overdue(task.thread)
            if overdue is not None:
                raise overdue


@lru_cache(maxsize=2)
def _load_for_workers(asks: bool) -> None:
    """Import what the workers need, since a test runner that rewrites modules fails if threads import them at once.

    The HTTP client is loaded before the first request, so that everything else loads while that is under way.
    """
    from wheelcheck.index import fetch_metadata, local_files  # noqa: F401
    from wheelcheck.index.http import client
    from wheelcheck.standards import simple_html  # noqa: F401

    if asks:
        client.load()


def _sentenced(work: Callable[[], T], key: object) -> T:
    """Run work; whatever it raises that nobody has foreseen becomes an answer that is unknown, never a traceback."""
    try:
        return work()
    except (UndeterminedError, UsageError):
        raise
    except MemoryError:
        raise Unreadable(_subject(key), "there is not enough memory for it") from None
    except Exception as error:
        raise Unreadable(_subject(key), f"it cannot be handled ({mask(str(error)) or 'of unknown kind'})") from error


def _subject(key: object) -> str:
    """Return how a sentence names what a task is about."""
    words = [str(word) for word in key if word] if isinstance(key, tuple) else [str(key)]
    return shown(words[-1] if words else "an answer")


def _quietly(work: Callable[[], None]) -> None:
    """Run prefetching work; whoever needs the result will get its failure."""
    with suppress(Exception):
        work()


def _groups(sources: Sequence[Placed], strategy: str) -> list[tuple[Placed, ...]]:
    """Group sources of which the first that has a project supplies it: each alone, or under ``first-index`` all
    indexes.
    """
    if strategy != "first-index":
        return [(source,) for source in sources]
    indexes = tuple(source for source in sources if not source.links)
    return [*((source,) for source in sources if source.links), *([indexes] if indexes else [])]


def _read_first(context: FetchContext, group: Sequence[Placed], name: NormalizedName) -> ProjectPage | None:
    """Return the page of the first index that has a project. Raises as `read_page` does."""
    pages = (read_page(context, source, name) for source in group)
    return next((page for page in pages if page is not None), None)


def _known_first(
    context: FetchContext, group: Sequence[Placed], name: NormalizedName
) -> Known[ProjectPage | None] | None:
    """Return what `_read_first` would, if the cache has it."""
    known: Known[ProjectPage | None] | None = None
    for source in group:
        known = known_page(context, source, name)
        if known is None or known.value is not None:
            return known
    return known
