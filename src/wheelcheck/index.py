"""What the indexes list: project pages and the metadata of their files, fetched ahead by threads.

Each page of a source and each file's metadata is one task, run once. `start_page` and `start_metadata` only begin it,
`page` and `metadata` give what it came to, so that fetching ahead can never change an answer. A task never waits for
another. Metadata belongs to a file and not to a version: wheels of one version disagree.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast
from urllib.parse import quote, urlsplit, urlunsplit

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion

from wheelcheck.archives import METADATA_LIMIT, ArchiveError, metadata_of
from wheelcheck.cache import FRESH_FOR, Cache, Kept, Stored, freshness, key_of
from wheelcheck.distributions import (
    SDIST_ENDINGS,
    Listed,
    Metadata,
    MetadataError,
    ProjectPage,
    Sdist,
    UnreadableFile,
    merged,
    parse_html,
    parse_metadata,
    parse_page,
    read_file,
    version_of,
)
from wheelcheck.failures import IndexNonsense, IndexUnavailable, NotCached, Unreadable, UsageError
from wheelcheck.ranges import MOST_BYTES, RemoteFile
from wheelcheck.tasks import Countdown, Task, Workers
from wheelcheck.transport import (
    Answer,
    Credentials,
    Origin,
    Sink,
    Transport,
    TransportOptions,
    origin_of,
    split_credentials,
)
from wheelcheck.urls import path_of_url, shown
from wheelcheck.verdicts import BadMetadata, HashMismatch

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

ACCEPT_PAGE = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
ACCEPT_LINKS = "text/html"
GONE = (404, 410)

T = TypeVar("T")
Links: TypeAlias = "Mapping[NormalizedName, ProjectPage]"
Told: TypeAlias = "Metadata | BadMetadata | HashMismatch"


@dataclass(frozen=True, slots=True)
class SimpleIndex:
    """An index with a folder for each project: an http, https or file URL, or a directory."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FindLinks:
    """Files of any project: a directory that holds them, or an HTML page, local or not, that links to them."""

    location: str = field(repr=False)


Source: TypeAlias = "SimpleIndex | FindLinks"


class Counters(NamedTuple):
    """What an answer has cost: requests made, bytes received, and answers that came from the cache instead."""

    requests: int
    bytes: int
    cached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A source as it is asked: `label` names it in answers; either a `url` without credentials or a local `path`."""

    label: str
    links: bool
    url: str = ""
    user: str = ""
    path: Path | None = None


def _place(source: Source) -> tuple[_Place, Credentials | None]:
    links = isinstance(source, FindLinks)
    given = source.location if isinstance(source, FindLinks) else source.url
    if given.lower().startswith(("http://", "https://")):
        try:
            url, credentials = split_credentials(given)
            origin_of(url)
        except ValueError:
            raise UsageError(
                f"The index URL {shown(given)} is malformed; give one such as https://host/simple/."
            ) from None
        return _Place(
            label=shown(given), links=links, url=url, user=credentials.user if credentials else ""
        ), credentials
    local = path_of_url(given) if "://" in given or given.lower().startswith("file:") else given
    path = Path(local).expanduser() if local is not None else None
    if path is None:
        raise UsageError(f"{shown(given)} is not an index: give an http, https or file URL, or a directory.")
    return _Place(label=given, links=links, path=path.absolute()), None


# -- the index


class Index:
    """Project pages and metadata from several sources, in their order.

    Args:
        sources: where to look; all are asked, and a project's page is what all of them list.
        cache: what was answered before.
        transport_options: how servers are reached.
        offline: make no request; what is cached counts, however old.
        refresh: ask again for what is cached.
        workers: the most requests at once.

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
    ) -> None:
        placed = [_place(source) for source in sources]
        self._places = tuple(place for place, _ in placed)
        credentials = {origin_of(place.url): given for place, given in placed if given}
        self._cache = cache
        self._transport = Transport(
            transport_options or TransportOptions(), connections=workers + 2, credentials=credentials
        )
        self._offline = offline
        self._refresh = refresh and not offline
        self._workers = Workers(workers)
        self._lock = threading.Lock()
        self._tasks: dict[object, Task[Any]] = {}
        self._pages: dict[NormalizedName, ProjectPage | None] = {}
        self._unable: set[tuple[Origin, str]] = set()
        self._cached = 0
        self._oldest: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all requests; nothing can be asked any more."""
        self._workers.close()
        self._transport.close()

    @property
    def sources(self) -> tuple[str, ...]:
        """How the sources are named in answers, credentials masked."""
        return tuple(place.label for place in self._places)

    @property
    def counters(self) -> Counters:
        """What was asked of servers so far."""
        return Counters(self._transport.requests, self._transport.bytes, self._cached)

    @property
    def oldest(self) -> float | None:
        """When the oldest page that was used was answered, in seconds since the epoch; None without such a page."""
        return self._oldest

    def cached_names(self) -> frozenset[NormalizedName]:
        """Projects whose pages are in the cache."""
        return self._cache.names()

    # -- pages

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Begins to fetch a page from every source.

        Args:
            name: the project.
            then: called in a worker with the merged page, if there is one; it may call `start_page` and
                `start_metadata` only, and what it raises is dropped, because an answer cannot depend on it.
        """
        tasks = self._page_tasks(name)
        if then is None:
            return
        countdown = Countdown(len(tasks) + 1, partial(self._hand_on, name, then))
        for task in tasks:
            task.follow(countdown)
        countdown(self._workers.submit)

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """What all sources list of a project, in their order; None if each of them says that it is not there.

        Raises:
            CannotTell: a source that did not answer, or not with a page; which of its kinds says why.
        """
        if name not in self._pages:
            tasks = self._page_tasks(name)
            for task in tasks:
                self._await(task)
            self._pages.setdefault(name, self._merged(name, tasks))
        return self._pages[name]

    def _hand_on(self, name: NormalizedName, then: Callable[[ProjectPage], None]) -> None:
        try:
            page = self._pages.get(name) or self._pages.setdefault(name, self._merged(name, self._page_tasks(name)))
            if page is not None:
                then(page)
        except Exception:  # noqa: BLE001 - fetching ahead decides nothing; whoever asks meets the failure
            return

    def _merged(self, name: NormalizedName, tasks: Sequence[Task[Any]]) -> ProjectPage | None:
        answers = [task.answer() for task in tasks]
        found = [
            answer.get(name) if place.links else answer for place, answer in zip(self._places, answers, strict=True)
        ]
        pages = [page for page in found if page is not None]
        return merged(name, pages) if pages else None

    def _page_tasks(self, name: NormalizedName) -> list[Task[Any]]:
        return [
            self._task((at, None), partial(self._read_links, place))
            if place.links
            else self._task((at, name), partial(self._read_page, place, name))
            for at, place in enumerate(self._places)
        ]

    def _read_page(self, place: _Place, name: NormalizedName) -> ProjectPage | None:
        if place.path is not None:
            return _local_page(place.path, name, place.label)
        url = f"{place.url.rstrip('/')}/{quote(name, safe='')}/"
        parse = partial(parse_page, name=name, index=place.label)
        return self._remote_page(place, url, name, ACCEPT_PAGE, parse)

    def _read_links(self, place: _Place) -> Links:
        if place.path is not None:
            return _local_links(place.path, place.label)
        parse = partial(_parse_links, index=place.label)
        return self._remote_page(place, place.url, "", ACCEPT_LINKS, parse) or {}

    def _remote_page(self, place: _Place, url: str, name: str, accept: str, parse: Callable[..., T]) -> T | None:
        key = key_of(url, place.user, accept)
        stored = self._cache.page(key, name)
        now = time.time()
        if stored is not None and (self._offline or (stored.is_fresh(now) and not self._refresh)):
            self._note(stored, cached=True)
            return _parsed(stored, parse)
        if self._offline:
            raise NotCached(shown(url))
        conditions = stored.conditions if stored else {}
        answer = self._transport.get(url, headers={"accept": accept} | conditions)
        if answer.status == 304 and stored is not None:
            fetched, keep = stored.confirmed(answer.headers, now), True
        else:
            fetched, keep = _fetched(answer, now)
        page = _parsed(fetched, parse)
        if keep:
            self._cache.store_page(key, name, fetched)
        self._note(fetched, cached=False)
        return page

    def _note(self, stored: Stored, *, cached: bool) -> None:
        with self._lock:
            self._cached += cached
            self._oldest = min(stored.stored, self._oldest or stored.stored)

    # -- metadata

    def start_metadata(self, file: Listed) -> None:
        """Begins to fetch the metadata of a file."""
        self._metadata_task(file)

    def metadata(self, file: Listed) -> Told:
        """The core metadata of this very file, or why the file is refused for good.

        Raises:
            Unreadable: it is out of reach.
            CannotTell: the server that has it did not answer; which of its kinds says why.
        """
        task = self._metadata_task(file)
        self._await(task)
        return task.answer()

    def _metadata_task(self, file: Listed) -> Task[Told]:
        return self._task(_identity(file), partial(self._read_metadata, file))

    def _read_metadata(self, file: Listed) -> Told:
        if isinstance(file, Sdist):
            raise Unreadable(file.filename, "it is a source distribution, whose metadata only a build can tell")
        try:
            path = _local_file(file)
            return _local_metadata(file, path) if path is not None else self._remote_metadata(file)
        except IndexNonsense as error:
            raise Unreadable(file.filename, error.why) from None

    def _remote_metadata(self, file: Listed) -> Told:
        key = key_of(*_identity(file))
        now = time.time()
        lasting = "sha256" in file.hashes
        kept = None if self._refresh and not lasting else self._cache.metadata(key, now)
        if kept is not None:
            with self._lock:
                self._cached += 1
            return BadMetadata(why=kept.refused) if kept.refused else _told(file, kept.head)
        if self._offline:
            raise NotCached(shown(file.url))
        found = self._fetched_metadata(file)
        if isinstance(found, bytes):
            self._cache.store_metadata(key, Kept(_head(found)), None if lasting else now + FRESH_FOR)
            return _told(file, found)
        if isinstance(found, BadMetadata):
            self._cache.store_metadata(key, Kept(b"", found.why), now + FRESH_FOR)
        return found

    def _fetched_metadata(self, file: Listed) -> bytes | BadMetadata | HashMismatch:
        beside = self._sidecar(file) if file.core_metadata else None
        if isinstance(beside, HashMismatch):
            return beside
        if beside is not None and not isinstance(_told(file, beside), BadMetadata):
            return beside
        return self._inside(file)

    def _sidecar(self, file: Listed) -> bytes | HashMismatch | None:
        """The metadata beside the file (PEP 658), or None where the file itself must be read."""
        try:
            answer = self._transport.get(_beside(file.url), limit=METADATA_LIMIT)
        except IndexNonsense:
            return None
        if answer.status == 401:
            raise answer.failure()
        if answer.status != 200:
            return None
        expected = file.core_metadata if isinstance(file.core_metadata, Mapping) else {}
        return _mismatch(expected, answer.body) or answer.body

    def _inside(self, file: Listed) -> bytes | BadMetadata | HashMismatch:
        """The metadata inside the file."""
        with RemoteFile(self._transport, file.url, file.filename, size=file.size, unable=self._unable) as remote:
            if remote.whole is not None:
                wrong = _mismatch_of_file(file.hashes, remote.whole)
                if wrong:
                    return wrong
            try:
                return metadata_of(remote.read, remote.size)
            except ArchiveError as error:
                return BadMetadata(why=str(error))

    # -- files

    def download(self, file: Listed, destination: Path, progress: Callable[[int], None] | None = None) -> None:
        """Puts a file at a path, all its known hashes checked; nothing is there before that.

        Args:
            file: what to fetch.
            destination: where to put it; its folder exists.
            progress: told the number of bytes so far.

        Raises:
            Unreadable: the file is gone, its hashes differ, or it cannot be written.
            CannotTell: its server did not answer.
        """
        temporary = destination.with_name(f".{destination.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            self._fetch(file, temporary, progress or (lambda _: None))
            with temporary.open("rb") as handle:
                wrong = _mismatch_of_file(file.hashes, handle)
            if wrong:
                raise Unreadable(file.filename, f"its hash is {wrong.actual} instead of {' or '.join(wrong.expected)}")
            temporary.replace(destination)
        except OSError as error:
            raise Unreadable(file.filename, f"it cannot be written to {destination} ({error.strerror})") from None
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _fetch(self, file: Listed, place: Path, progress: Callable[[int], None]) -> None:
        local = _local_file(file)
        if local is not None:
            _copy(file, local, place, progress)
            return
        if self._offline:
            raise NotCached(shown(file.url))
        with place.open("wb") as handle:
            answer = self._transport.download(file.url, partial(_sink, file, handle, progress))
        if answer.status in GONE:
            raise Unreadable(file.filename, f"the index lists it, but its server answers HTTP {answer.status}")
        if answer.status != 200:
            raise answer.failure()

    # -- tasks

    def _task(self, key: object, work: Callable[[], T]) -> Task[T]:
        with self._lock:
            found = self._tasks.get(key)
            if found is not None:
                return found
            task = self._tasks[key] = Task(work)
        self._workers.submit(task.run)
        return task

    def _await(self, task: Task[Any]) -> None:
        """Waits for a task, which goes to the front if no thread has taken it yet."""
        if task.thread is None:
            self._workers.submit(task.run, first=True)
        while not task.wait(1.0):
            overdue = self._transport.overdue(task.thread) if task.thread is not None else None
            if overdue is not None:
                raise overdue


# -- pages, from where they are


def _fetched(answer: Answer, now: float) -> tuple[Stored, bool]:
    """A page from an answer, and whether it may be kept."""
    if answer.status not in (200, *GONE):
        raise answer.failure()
    lifetime = freshness(answer.headers, now)
    found = answer.status == 200
    stored = Stored(
        url=urlunsplit(urlsplit(answer.url)._replace(query="", fragment="")),
        content_type=answer.headers.get("content-type", ""),
        body=answer.body if found else b"",
        found=found,
        stored=now,
        fresh_until=now + (lifetime or 0.0),
        cache_control=answer.headers.get("cache-control", ""),
        etag=answer.headers.get("etag", ""),
        last_modified=answer.headers.get("last-modified", ""),
    )
    return stored, lifetime is not None


def _parsed(stored: Stored, parse: Callable[..., T]) -> T | None:
    return parse(stored.body, stored.content_type, url=stored.url) if stored.found else None


def _local_page(folder: Path, name: NormalizedName, label: str) -> ProjectPage | None:
    """The page in a project's folder; no folder, or none that holds a page, means that the project is not there."""
    for filename, content_type in (("index.json", "application/json"), ("index.html", "text/html")):
        path = folder / quote(name, safe="") / filename
        body = _local_body(path)
        if body is not None:
            return parse_page(body, content_type, name=name, url=path.as_uri(), index=label)
    return None


def _local_body(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise IndexUnavailable(str(path), error.strerror or type(error).__name__) from None


def _local_links(path: Path, label: str) -> Links:
    if not path.is_dir():
        body = _local_body(path)
        return {} if body is None else _parse_links(body, "text/html", url=path.as_uri(), index=label)
    try:
        entries = sorted(entry for entry in path.iterdir() if entry.name.endswith((".whl", *SDIST_ENDINGS)))
    except OSError as error:
        raise IndexUnavailable(str(path), error.strerror or type(error).__name__) from None
    return _by_project(read_file(entry.name, url=entry.as_uri(), index=label) for entry in entries)


def _parse_links(body: bytes, content_type: str, *, url: str, index: str) -> Links:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml", ""):
        raise IndexNonsense(url, f"its content type is {kind}")
    # The page names no project, and without one the files are read by their names alone.
    page = parse_html(body, name=cast("NormalizedName", None), url=url, index=index)
    return _by_project((*page.files, *page.unreadable))


def _by_project(files: Iterator[Listed | UnreadableFile] | tuple[Listed | UnreadableFile, ...]) -> Links:
    """A page for each project; a wheel whose name cannot be read is kept with the project that it begins with."""
    found: dict[NormalizedName, tuple[list[Listed], list[UnreadableFile]]] = {}
    for file in files:
        if not isinstance(file, UnreadableFile):
            found.setdefault(file.name, ([], []))[0].append(file)
        elif file.filename.endswith(".whl"):
            found.setdefault(canonicalize_name(file.filename.partition("-")[0]), ([], []))[1].append(file)
    return {
        name: ProjectPage(name=name, files=tuple(good), unreadable=tuple(bad)) for name, (good, bad) in found.items()
    }


# -- files and their metadata


def _identity(file: Listed) -> tuple[str, ...]:
    """What tells a file from every other: its hash at its origin, or its URL; and what its metadata must be."""
    core = file.core_metadata
    stated = "&".join(f"{key}={core[key]}" for key in sorted(core)) if isinstance(core, Mapping) else ""
    parts = urlsplit(file.url)
    digest = file.hashes.get("sha256")
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return (where, "sha256", digest, file.filename, stated) if digest else (file.url, file.filename, stated)


def _local_file(file: Listed) -> Path | None:
    """The path of a file that is here. A page that came over the network cannot point at one."""
    if not file.url.lower().startswith("file:"):
        return None
    if file.index.startswith(("http://", "https://")):
        raise Unreadable(file.filename, "its index is on a server and points at a local file")
    local = path_of_url(file.url)
    return Path(local) if local is not None else None


def _local_metadata(file: Listed, path: Path) -> Told:
    sidecar = _local_body(path.with_name(path.name + ".metadata")) if file.core_metadata else None
    if sidecar is not None:
        expected = file.core_metadata if isinstance(file.core_metadata, Mapping) else {}
        wrong = _mismatch(expected, sidecar)
        told = wrong or (_told(file, sidecar))
        if not isinstance(told, BadMetadata):
            return told
    try:
        with path.open("rb") as handle:
            return _told(file, metadata_of(partial(_read_at, handle), path.stat().st_size))
    except OSError as error:
        raise Unreadable(file.filename, f"{path}: {error.strerror}") from None
    except ArchiveError as error:
        return BadMetadata(why=str(error))


def _read_at(handle: Any, offset: int, length: int) -> bytes:
    handle.seek(offset)
    found: bytes = handle.read(length)
    return found


def _told(file: Listed, body: bytes) -> Metadata | BadMetadata:
    try:
        found = parse_metadata(body)
        agrees = found.name == file.name and version_of(found.version) == file.version
    except (MetadataError, InvalidVersion) as error:
        return BadMetadata(why=str(error))
    if not agrees:
        return BadMetadata(why=f"it says that it is {found.name} {found.version}")
    return found


def _head(body: bytes) -> bytes:
    """The headers without the description, which answers no question here."""
    end = re.search(rb"\r?\n\r?\n", body)
    return body[: end.end()] if end else body


def _beside(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + ".metadata", fragment=""))


def _mismatch(expected: Mapping[str, str], body: bytes) -> HashMismatch | None:
    from io import BytesIO

    return _mismatch_of_file(expected, BytesIO(body))


def _mismatch_of_file(expected: Mapping[str, str], handle: Any) -> HashMismatch | None:
    """The first hash that differs. Algorithms that this Python does not know prove nothing either way."""
    import hashlib

    known = {name: hashlib.new(name) for name in expected if name in hashlib.algorithms_guaranteed - _WITHOUT_LENGTH}
    handle.seek(0)
    while chunk := handle.read(2**20):
        for digest in known.values():
            digest.update(chunk)
    for name, digest in known.items():
        if digest.hexdigest() != expected[name].lower():
            return HashMismatch(expected=(f"{name}:{expected[name]}",), actual=f"{name}:{digest.hexdigest()}")
    return None


_WITHOUT_LENGTH = {"shake_128", "shake_256"}


def _sink(file: Listed, handle: Any, progress: Callable[[int], None]) -> Sink:
    """A taker of chunks that writes them from the start of a file, and no more of them than the file can have."""
    handle.seek(0)
    handle.truncate()
    most = MOST_BYTES if file.size is None else file.size

    def take(chunk: bytes) -> None:
        handle.write(chunk)
        if handle.tell() > most:
            raise Unreadable(file.filename, f"it goes on beyond {most} bytes")
        progress(handle.tell())

    return take


def _copy(file: Listed, source: Path, place: Path, progress: Callable[[int], None]) -> None:
    try:
        handle = source.open("rb")
    except OSError as error:
        raise Unreadable(file.filename, f"{source}: {error.strerror}") from None
    with handle, place.open("wb") as target:
        take = _sink(file, target, progress)
        while chunk := handle.read(2**20):
            take(chunk)
