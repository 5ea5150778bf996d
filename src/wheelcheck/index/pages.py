"""The page of a project from one source: through the cache from a server, as it is from a directory."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from packaging.utils import NormalizedName

from wheelcheck.cache import Stored, freshness, key_of
from wheelcheck.distributions import Listed, ProjectPage, parse_page
from wheelcheck.failures import NotCached, Unreadable
from wheelcheck.index.access import Access
from wheelcheck.index.links import Links, read_links_page
from wheelcheck.index.local import hashed, local_links, local_page
from wheelcheck.index.sources import Local, Placed, Remote
from wheelcheck.transport import Answer
from wheelcheck.urls import shown

ACCEPT_PAGE = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
ACCEPT_LINKS = "text/html"
GONE = (404, 410)

T = TypeVar("T")


def read_page(access: Access, source: Placed, name: NormalizedName) -> ProjectPage | None:
    """What one index lists of a project, or None if it says that it is not there.

    Raises:
        CannotTell: the source did not answer, or not with a page; which of its kinds says why.
    """
    if isinstance(source, Local):
        return _with_hashes(access, local_page(source, name))
    url = f"{source.url.rstrip('/')}/{quote(name, safe='')}/"
    parse = partial(parse_page, name=name, index=source.label)
    return _remote_page(access, source, url, name, ACCEPT_PAGE, parse)


def read_links(access: Access, source: Placed) -> Links:
    """What a directory or page of links lists of every project; raises as `read_page` does."""
    if isinstance(source, Local):
        pages = local_links(source)
        return {name: _with_hashes(access, page) or page for name, page in pages.items()}
    parse = partial(read_links_page, index=source.label)
    return _remote_page(access, source, source.url, "", ACCEPT_LINKS, parse) or {}


def with_hashes(access: Access, file: Listed) -> Listed:
    """A file with the digests that are wanted of local files, if it is one."""
    path = access.path_of(file, Unreadable) if access.local_hashes else None
    return hashed(file, path, access.local_hashes) if path is not None else file


def _with_hashes(access: Access, page: ProjectPage | None) -> ProjectPage | None:
    if page is None or not access.local_hashes:
        return page
    files = [with_hashes(access, file) for file in page.files]
    return ProjectPage(name=page.name, files=files, unreadable=page.unreadable, status=page.status)


# -- from a server


def _remote_page(access: Access, source: Remote, url: str, name: str, accept: str, parse: Callable[..., T]) -> T | None:
    key = key_of(url, source.user, accept)
    stored = access.cache.page(key, name)
    now = time.time()
    if stored is not None and (access.offline or (stored.is_fresh(now) and not access.refresh)):
        access.note_cached()
        access.note_page(stored.stored)
        return _parsed(stored, parse)
    if access.offline:
        raise NotCached(shown(url))
    conditions = stored.conditions if stored else {}
    answer = access.transport.get(url, headers={"accept": accept} | conditions, login=source.login)
    if answer.status == 304 and stored is not None:
        fetched, keep = stored.confirmed(answer.headers, now), True
    else:
        fetched, keep = _fetched(answer, now)
    page = _parsed(fetched, parse)
    if keep:
        access.cache.store_page(key, name, fetched)
    access.note_page(fetched.stored)
    return page


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
