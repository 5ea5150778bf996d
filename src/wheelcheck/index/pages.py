"""The page of a project from one source: from a server through the cache, from a directory as it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from wheelcheck._version import __version__
from wheelcheck.common.errors import NotCached, Unreadable
from wheelcheck.common.records import replace
from wheelcheck.common.urls import shown
from wheelcheck.index.cache.entries import Damaged
from wheelcheck.index.cache.store import Stored, key_of
from wheelcheck.index.context import FetchContext, Known
from wheelcheck.index.http.cache_control import freshness, may_answer, varying
from wheelcheck.index.local_files import hashed
from wheelcheck.index.sources import Local, Placed, Remote
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile
from wheelcheck.standards.simple_api import Listing, listing_of, page_of

if TYPE_CHECKING:
    from wheelcheck.index.http.client import Answer
    from wheelcheck.index.local_files import Links

ACCEPT_PAGE = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
ACCEPT_LINKS = "text/html"
GONE = (404, 410)

_Pieces: TypeAlias = "tuple[Mapping[str, Any], Sequence[bytes | memoryview]]"

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


def read_page(context: FetchContext, source: Placed, name: NormalizedName) -> ProjectPage | None:
    """Return what one index lists of a project, or None if it does not have it.

    Raises:
        UndeterminedError: the source could not be asked, or its answer is not a page.
    """
    if isinstance(source, Local):
        from wheelcheck.index.local_files import local_page

        context.note_kept({}, 0)
        return _with_hashes(context, local_page(source, name))
    return _CachedPage(context, source, _ProjectKind(source, name)).page()


def known_page(context: FetchContext, source: Placed, name: NormalizedName) -> Known[ProjectPage | None] | None:
    """Return what `read_page` would, if the cache has it; None where a server or a directory must be read."""
    if isinstance(source, Local):
        return None
    return _CachedPage(context, source, _ProjectKind(source, name)).known()


def known_links(context: FetchContext, source: Placed) -> Known[Links] | None:
    """Return what `read_links` would, if the cache has it."""
    known = None if isinstance(source, Local) else _CachedPage(context, source, _LinksKind(source)).known()
    return Known(known.value or {}) if known else None


def read_links(context: FetchContext, source: Placed) -> Links:
    """Return what a directory or page of links lists, by project; raises as `read_page` does."""
    if isinstance(source, Local):
        from wheelcheck.index.local_files import local_links

        context.note_kept({}, 0)
        pages = local_links(source)
        return {name: _with_hashes(context, page) or page for name, page in pages.items()}
    return _CachedPage(context, source, _LinksKind(source)).page() or {}


def with_hashes(context: FetchContext, file: Listed) -> Listed:
    """Return a local file with the requested hashes; any other file unchanged."""
    path = context.path_of(file, Unreadable) if context.local_hashes and file.path is None else None
    return hashed(file, path, context.local_hashes) if path is not None else file


def _with_hashes(context: FetchContext, page: ProjectPage | None) -> ProjectPage | None:
    if page is None or not context.local_hashes:
        return page
    files = [with_hashes(context, file) for file in page.files]
    return ProjectPage(
        name=page.name,
        files=files,
        unreadable=page.unreadable,
        status=page.status,
        status_reason=page.status_reason,
        indexes=page.indexes,
    )


# -- from a server


class _PageKind(Protocol[T_co]):
    """What is requested from a server, how its body is stored, and what is built from it."""

    url: str
    name: str
    accept: str

    def split(self, body: bytes, content_type: str, url: str) -> _Pieces:
        """Return summary and parts of a body. Raises `IndexNonsense`."""

    def build(self, page: _Page, again: Callable[[], Stored]) -> T_co:
        """Build the result; `again` fetches the page anew where a part of it is damaged."""


class _Page:
    """A stored page: in memory, then on disk."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored


class _ProjectKind:
    """The page of one project."""

    accept = ACCEPT_PAGE

    def __init__(self, source: Remote, name: NormalizedName) -> None:
        self.url = f"{source.url}{'' if source.url.endswith('/') else '/'}{quote(name, safe='')}/"
        self.name: str = name
        self._project, self._index = name, source.label

    def split(self, body: bytes, content_type: str, url: str) -> _Pieces:
        listing = listing_of(body, content_type, name=self._project, url=url)
        stray = [(file.filename, file.why, file.label) for file in listing.stray]
        summary = {"status": listing.status, "reason": listing.status_reason, "versions": listing.versions}
        return summary | {"stray": stray}, listing.shelves

    def build(self, page: _Page, again: Callable[[], Stored]) -> ProjectPage:
        about = page.stored.summary
        listing = Listing(
            status=about["status"],
            status_reason=about["reason"],
            versions=tuple(about["versions"]),
            shelves=_StoredParts(page, again),
            stray=tuple(UnreadableFile(filename=name, why=why, label=label) for name, why, label in about["stray"]),
        )
        return page_of(listing, name=self._project, url=page.stored.url, index=self._index)


class _StoredParts(Sequence[bytes | memoryview]):
    """The versions of a stored page; where one is damaged, the page is fetched again."""

    def __init__(self, page: _Page, again: Callable[[], Stored]) -> None:
        self._page, self._again = page, again
        self._now: dict[str, bytes | memoryview] | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._page.stored.parts)

    def __getitem__(self, place: Any) -> Any:
        with self._lock:
            if self._now is None:
                try:
                    return self._page.stored.parts[place]
                except Damaged:
                    now = self._again()
                    self._now = dict(zip(now.summary.get("versions", ()), now.parts, strict=False))
            return self._now.get(self._page.stored.summary["versions"][place], b"")


class _LinksKind:
    """A page of links to files of any project."""

    accept = ACCEPT_LINKS
    name = ""

    def __init__(self, source: Remote) -> None:
        self.url = source.url
        self._index = source.label

    def split(self, body: bytes, content_type: str, url: str) -> _Pieces:
        from wheelcheck.index.local_files import read_links_page

        read_links_page(body, content_type, url=url, index=self._index)
        return {"content_type": content_type}, [body]

    def build(self, page: _Page, again: Callable[[], Stored]) -> Links:
        from wheelcheck.index.local_files import read_links_page

        stored = page.stored
        try:
            body = stored.parts[0]
        except Damaged:
            stored = again()
            body = stored.parts[0] if stored.found else b""
        return read_links_page(bytes(body), stored.summary["content_type"], url=stored.url, index=self._index)


class _CachedPage(Generic[T]):
    """A page of a server, through the cache."""

    def __init__(self, context: FetchContext, source: Remote, kind: _PageKind[T]) -> None:
        self._context, self._source, self._kind = context, source, kind
        login = context.login_digest(kind.url, source.login, keyring=False)
        self._key = key_of(kind.url, login, kind.accept)
        self._request = {
            "accept": kind.accept,
            "accept-encoding": "gzip",
            "authorization": login,
            "user-agent": f"wheelcheck/{__version__}",
        }

    def known(self) -> Known[T | None] | None:
        """Return the page if the cache has it and it is fresh."""
        stored = self._stored()
        context = self._context
        if stored is None or not may_answer(stored.varied, self._request):
            return None
        if not context.offline and (context.refresh or not stored.is_fresh(time.time())):
            return None
        if not context.would_send(stored.sent, self._source.login):
            return None
        self._context.note_cached()
        self._context.note_kept(stored.kept_at, stored.fresh_until)
        return Known(self._build(_Page(stored)))

    def page(self) -> T | None:
        """Return the current page, or None where there is none."""
        return self._build(self._fetch(self._stored()))

    def _stored(self) -> Stored | None:
        return self._context.cache.page(self._key, self._kind.name)

    def _build(self, page: _Page) -> T | None:
        self._context.note_page(page.stored.stored)
        return self._kind.build(page, self._again) if page.stored.found else None

    def _again(self) -> Stored:
        """Return the whole page: as another process has stored it meanwhile, or from the server."""
        stored = self._stored()
        try:
            return replace(stored, parts=list(stored.parts)) if stored is not None else self._fetch(None).stored
        except Damaged:
            return self._fetch(None).stored

    def _fetch(self, stored: Stored | None) -> _Page:
        """Fetch the page, or revalidate the stored one."""
        if self._context.offline:
            raise NotCached(shown(self._kind.url))
        conditions = stored.conditions if stored and may_answer(stored.varied, self._request) else {}
        now = time.time()
        answer = self._context.transport.get(
            self._kind.url, headers={"accept": self._kind.accept} | conditions, login=self._source.login
        )
        if answer.status == 304 and stored is not None:
            return self._revalidated(stored, answer, now)
        lifetime, varied = freshness(answer.headers, now), varying(answer.headers.get("vary", ""), self._request)
        page = _Page(self._fetched(answer, now, lifetime or 0.0, varied or {}))
        if lifetime is None or varied is None:
            self._context.note_kept({}, 0)
        else:
            self._context.run_last(partial(self._keep, page))
        return page

    def _revalidated(self, stored: Stored, answer: Answer, now: float) -> _Page:
        try:
            sent = self._context.sent_digests(answer.sent)
            page = _Page(replace(stored.confirmed(answer.headers, now), sent=sent, parts=list(stored.parts)))
            self._context.run_last(partial(self._keep, page))
            return page
        except Damaged:
            return self._fetch(None)

    def _fetched(self, answer: Answer, now: float, lifetime: float, varied: Mapping[str, str]) -> Stored:
        if answer.status not in (200, *GONE):
            raise answer.failure()
        found, url = answer.status == 200, urlunsplit(urlsplit(answer.url)._replace(query="", fragment=""))
        content_type = answer.headers.get("content-type", "")
        with self._context.turn(len(answer.body)):
            summary, parts = self._kind.split(answer.body, content_type, url) if found else ({}, ())
        return Stored(
            url=url,
            found=found,
            stored=now,
            fresh_until=now + lifetime,
            cache_control=answer.headers.get("cache-control", ""),
            etag=answer.headers.get("etag", ""),
            last_modified=answer.headers.get("last-modified", ""),
            varied=varied,
            sent=self._context.sent_digests(answer.sent),
            summary=summary,
            parts=parts,
        )

    def _keep(self, page: _Page) -> None:
        """Store the page, so that its parts need not stay in memory."""
        kept = self._context.cache.store_page(self._key, self._kind.name, page.stored)
        page.stored = kept or page.stored
        self._context.note_kept(page.stored.kept_at, page.stored.fresh_until if kept else 0)
