"""Project pages from the bytes that an index sent: by version, newest first, each version read when it is asked for.

A page may list ten thousand files of which an answer looks at ten. So a body in JSON is cut into its entries without
being decoded, the entries are put together by version, and a version is decoded when somebody asks for it. What cannot
be cut with certainty is decoded as a whole. Standards: simple repository API (PEP 503, 592, 629, 691, 700, 714, 792).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, repeat
from operator import contains
from typing import Any, NamedTuple, TypeAlias

from packaging.version import InvalidVersion, Version

from wheelcheck.distributions import Listed, ProjectPage, Shelf, UnreadableFile, read_file, version_text
from wheelcheck.failures import IndexNonsense
from wheelcheck.names import NormalizedName, canonicalize_name
from wheelcheck.patterns import pattern
from wheelcheck.requirements import version_of
from wheelcheck.urls import absolute
from wheelcheck.values import record

KNOWN_MAJORS = ("0", "1")
HTML_TYPES = ("text/html", "application/vnd.pypi.simple.v1+html", "application/xhtml+xml", "")
CORE_METADATA_KEYS = ("core-metadata", "dist-info-metadata", "data-dist-info-metadata")
"""The three names of one key in the order in which they count (PEP 714)."""

_MIXED = "the files of one version cannot be told from those of others"


@record
class Listing:
    """What a page says of a project, in a form that can be kept.

    Attributes:
        status, status_reason: PEP 792; None and empty for an active project.
        versions: each version that has files, in its canonical text, newest first.
        shelves: the files of each of these versions, a list of PEP 691 entries in JSON.
        stray: files of which no version is known.
    """

    status: str | None = None
    status_reason: str = ""
    versions: tuple[str, ...] = ()
    shelves: Sequence[bytes] = ()
    stray: tuple[UnreadableFile, ...] = ()


def parse_page(body: bytes, content_type: str, *, name: NormalizedName, url: str, index: str) -> ProjectPage:
    """A project page from the body that an index sent; see `listing_of` and `page_of`."""
    return page_of(listing_of(body, content_type, name=name, url=url), name=name, url=url, index=index)


def listing_of(body: bytes, content_type: str, *, name: NormalizedName, url: str) -> Listing:
    """What a page says.

    Args:
        body: the bytes after any content encoding.
        content_type: the header's value; it decides between JSON and HTML, not what was asked for.
        name: the project that was asked for.
        url: where the body came from, after redirects.

    Raises:
        IndexNonsense: the body is not a project page of a kind that is known here.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith("json"):
        return _from_json(body, name, url)
    if kind in HTML_TYPES:
        return _from_html(body, name, url)
    raise IndexNonsense(url, f"its content type is {kind}")


def page_of(listing: Listing, *, name: NormalizedName, url: str, index: str) -> ProjectPage:
    """The page of a listing. `url` is where it came from, for relative links; `index` is how answers name its source.

    Raises:
        IndexNonsense: when a version is read whose entries cannot be decoded.
    """

    def shelf(place: int) -> Shelf:
        entries = _entries(listing.shelves[place], url)
        names = [entry["filename"] for entry in entries]
        if any(
            _version(version_text(filename, name) or "") != version_of(listing.versions[place]) for filename in names
        ):
            raise IndexNonsense(url, _MIXED)
        return Shelf(names, lambda at: file_of(entries[at], name, url, index))

    return ProjectPage.of_shelves(
        name,
        listing.versions,
        shelf,
        listing.stray,
        status=listing.status,
        status_reason=listing.status_reason,
        indexes=(index,),
    )


def parse_links(body: bytes, *, url: str, index: str) -> Iterator[Listed | UnreadableFile]:
    """The files of any project to which an HTML page links. Raises `IndexNonsense` where it links to none."""
    from wheelcheck.markup import Markup

    page = Markup(body, url)
    _check_api_version(page.metas.get("pypi:repository-version"), url)
    return (file_of(entry, None, url, index) for entry in page.entries)


# -- one file


def file_of(entry: Mapping[str, Any], name: NormalizedName | None, url: str, index: str) -> Listed | UnreadableFile:
    """The file of an entry (PEP 691), or its name with why it says nothing."""
    filename, link = entry["filename"], entry.get("url")
    if not isinstance(link, str):
        return UnreadableFile(filename=filename, why="its entry lacks a filename or a url")
    address = absolute(url, link)
    if address is None:
        return UnreadableFile(filename=filename, why="its URL cannot be parsed")
    yanked, size = entry.get("yanked"), entry.get("size")
    core = next((entry[key] for key in CORE_METADATA_KEYS if entry.get(key)), False)
    return read_file(
        filename,
        name,
        url=address,
        index=index,
        hashes=_hashes(entry.get("hashes")),
        requires_python=_text(entry.get("requires-python")),
        yanked=(yanked if isinstance(yanked, str) else "") if yanked else None,
        upload_time=_text(entry.get("upload-time")),
        size=size if type(size) is int and size >= 0 else None,
        core_metadata=_hashes(core) or bool(core),
    )


def _entries(shelf: bytes, url: str) -> list[dict[str, Any]]:
    """The entries of a shelf. What was cut out of a damaged page shows here, when it is looked at."""
    try:
        entries = json.loads(shelf)
    except (ValueError, RecursionError) as error:
        raise _undecodable(error, url) from None
    if not all(isinstance(entry, dict) and isinstance(entry.get("filename"), str) for entry in entries):
        raise IndexNonsense(url, "its JSON has a file without a name")
    found: list[dict[str, Any]] = entries
    return found


# -- from JSON


def _from_json(body: bytes, name: NormalizedName, url: str) -> Listing:
    page, named, stray = _cut(body) or _decoded(body, url)
    _check_api_version(_mapping(page.get("meta")).get("api-version"), url)
    claimed = page.get("name")
    if isinstance(claimed, str) and canonicalize_name(claimed) != name:
        raise IndexNonsense(url, f"it describes the project {claimed}, not {name}")
    status = _mapping(page.get("project-status"))
    return _listing(name, url, named, stray, _text(status.get("status")), _text(status.get("reason")))


class _Named(NamedTuple):
    """The names of files, and for each the text of its entry between the braces."""

    filenames: Sequence[str]
    pieces: Sequence[bytes]


_Cut: TypeAlias = "tuple[Mapping[str, Any], _Named, Sequence[UnreadableFile]]"

_KEY = b'"filename"'
_FIRST = pattern(rb'"files"\s*:\s*\[\s*\{')
_NAME = pattern(rb'"filename"(?:\s*:\s*"([^"\\]*)")?')
_LAST = pattern(rb"\}\s*\]")
_BETWEEN = pattern(rb"\}\s*,\s*\{")


def _cut(body: bytes) -> _Cut | None:
    """The page without its files, and the text of each file between its braces; None where that is not certain.

    It is certain if the rest of the page is JSON with an empty list of files, and each piece holds one key
    ``filename``: no string can hold such a key, since the quotation marks within it would be escaped. Whether a piece
    is JSON, and the key its own, shows when it is decoded.
    """
    first, last = _FIRST.search(body), _LAST.search(body, max(0, body.rfind(_KEY)))
    if first is None or last is None:
        return None
    inner = body[first.end() : last.start()]
    between = _BETWEEN.search(inner)
    pieces = inner.split(between[0]) if between else [inner]
    names = _NAME.findall(body)
    if len(pieces) != len(names) or b"" in names or not all(map(contains, pieces, repeat(_KEY))):
        return None
    try:
        page = json.loads(body[: first.end() - 1] + body[last.start() + 1 :])
        filenames = b'"'.join(names).decode().split('"')
    except (ValueError, RecursionError):
        return None
    if not isinstance(page, dict) or page.get("files") != []:
        return None
    return page, _Named(filenames, pieces), ()


def _decoded(body: bytes, url: str) -> _Cut:
    """The page without its files, and the text of each file between its braces, from the whole JSON."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _undecodable(error, url) from None
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise IndexNonsense(url, "its JSON has no list of files")
    named = _named([entry for entry in page["files"] if _is_named(entry)])
    return page, named, [_nameless(entry) for entry in page["files"] if not _is_named(entry)]


def _undecodable(error: Exception, url: str) -> IndexNonsense:
    return IndexNonsense(url, f"its JSON cannot be parsed ({type(error).__name__})")


def _is_named(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("filename"), str)


def _nameless(entry: Any) -> UnreadableFile:
    shown = _mapping(entry).get("filename") or _mapping(entry).get("url") or "?"
    return UnreadableFile(filename=str(shown), why="its entry lacks a filename or a url")


def _named(entries: Sequence[Mapping[str, Any]]) -> _Named:
    """Entries that were decoded, in the form of those that are cut."""
    return _Named([entry["filename"] for entry in entries], list(map(_piece, entries)))


def _piece(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":"))[1:-1].encode("ascii")


def _check_api_version(stated: Any, url: str) -> None:
    major = str(stated or "1").partition(".")[0]
    if major not in KNOWN_MAJORS:
        raise IndexNonsense(url, f"it follows version {stated} of the repository API, which is not known here")


# -- from HTML


def _from_html(body: bytes, name: NormalizedName, url: str) -> Listing:
    from wheelcheck.markup import Markup

    page = Markup(body, url)
    _check_api_version(page.metas.get("pypi:repository-version"), url)
    status, reason = (page.metas.get(f"pypi:project-status{ending}") for ending in ("", "-reason"))
    return _listing(name, url, _named(page.entries), (), status, reason)


# -- by version


def _listing(
    name: NormalizedName,
    url: str,
    named: _Named,
    stray: Iterable[UnreadableFile],
    status: str | None,
    reason: str | None,
) -> Listing:
    shelves, unplaced = _by_version(name, url, named)
    versions = sorted(shelves, reverse=True)
    active = status in (None, "", "active")
    return Listing(
        status=None if active else status,
        status_reason="" if active else reason or "",
        versions=tuple(map(str, versions)),
        shelves=[_shelf(shelves[version]) for version in versions],
        stray=(*stray, *unplaced),
    )


def _shelf(pieces: Iterable[bytes]) -> bytes:
    """The texts of some entries as one list in JSON."""
    return b"[{" + b"},{".join(pieces) + b"}]"


def _by_version(
    name: NormalizedName, url: str, named: _Named
) -> tuple[dict[Version, list[bytes]], list[UnreadableFile]]:
    """The entries of each version, and the files whose names state none."""
    shelves: dict[Version, list[bytes]] = {}
    unplaced: list[UnreadableFile] = []
    for begin, end in pairwise([*_beginnings(named.filenames), len(named.filenames)]):
        version = _version(version_text(named.filenames[begin], name) or "")
        pieces = named.pieces[begin:end]
        if version is None:
            unplaced += _unplaced(name, url, named.filenames[begin:end], pieces)
        else:
            shelves.setdefault(version, []).extend(pieces)
    return shelves, unplaced


def _beginnings(filenames: Sequence[str]) -> Iterator[int]:
    """Where the names stand that do not go on with the version of the one before, as far as wheels' names tell."""
    same: str | tuple[()] = ()
    for place, filename in enumerate(filenames):
        if not (filename.startswith(same) and filename.endswith(".whl")):
            yield place
            same = _start(filename) if filename.endswith(".whl") else ()


def _start(filename: str) -> str:
    """What the names of all wheels of the same version begin with, as far as one name tells."""
    return "-".join(filename.split("-", 2)[:2]) + "-"


def _version(text: str) -> Version | None:
    try:
        return version_of(text)
    except InvalidVersion:
        return None


def _unplaced(
    name: NormalizedName, url: str, filenames: Sequence[str], pieces: Sequence[bytes]
) -> Iterator[UnreadableFile]:
    """Files whose names state no version, once their entries show that the names are theirs."""
    if [entry["filename"] for entry in _entries(_shelf(pieces), url)] != filenames:
        raise IndexNonsense(url, _MIXED)
    for filename in filenames:
        file = read_file(filename, name, url="")
        assert isinstance(file, UnreadableFile)
        yield file


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _hashes(value: Any) -> dict[str, str]:
    return {key: digest.lower() for key, digest in _mapping(value).items() if isinstance(digest, str)}
