"""Project pages (PEP 503, 592, 629, 691, 700, 714, 792), parsed version by version on first access.

A page may list ten thousand files of which an answer needs ten. So the text of a JSON page is split into its entries
without decoding them, entries are grouped by version, and a version is decoded when it is needed. Where the split is
not certain, the page is decoded as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

from wheelcheck.common.errors import IndexNonsense
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import record
from wheelcheck.common.urls import absolute, shown
from wheelcheck.standards.filenames import SDIST_ENDINGS, version_text
from wheelcheck.standards.hashes import fault_of_hashes
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import (
    MAX_FILES,
    Listed,
    ProjectPage,
    UnreadableFile,
    VersionFiles,
    hash_pairs,
    last_part,
    read_file,
)
from wheelcheck.standards.specifiers import excess_of, version_of

KNOWN_MAJORS = ("0", "1")
HTML_TYPES = ("text/html", "application/vnd.pypi.simple.v1+html")
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
CORE_METADATA_KEYS = ("core-metadata", "dist-info-metadata")
"""The two names of one key, in order of precedence (PEP 714): the first that is there counts, whatever it says."""

_MIXED = "the files of one version cannot be distinguished from those of others"


@record
class Listing:
    """The content of a project page in a form that can be cached.

    Attributes:
        status, status_reason: PEP 792; None and empty for an active project.
        versions: the versions that have files, as canonical text, newest first.
        shelves: the files of each version: PEP 691 entries as JSON, between the outermost braces.
        stray: files without a known version.
    """

    status: str | None = None
    status_reason: str = ""
    versions: tuple[str, ...] = ()
    shelves: Sequence[bytes | memoryview] = ()
    stray: tuple[UnreadableFile, ...] = ()


def parse_page(body: bytes, content_type: str, *, name: NormalizedName, url: str, index: str) -> ProjectPage:
    """Parse the body of a project page; see `listing_of` and `page_of`."""
    return page_of(listing_of(body, content_type, name=name, url=url), name=name, url=url, index=index)


MAX_OBJECTS, MAX_VALUES = 4 * MAX_FILES, 10 * MAX_FILES
"""Maximum number of objects and of values in the JSON of a page, which take far more memory than their text."""


def listing_of(body: bytes, content_type: str, *, name: NormalizedName, url: str) -> Listing:
    """Parse the body of a project page into a `Listing`.

    Args:
        body: the bytes after any content encoding.
        content_type: the value of the header; it alone decides between JSON and HTML.
        name: the requested project.
        url: where the body came from, after redirects.

    Raises:
        IndexNonsense: the body is not a project page of a known kind.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON_TYPE:
        if body.count(_KEY) > MAX_FILES:
            raise IndexNonsense(url, f"it lists more than {MAX_FILES:,} files")
        if body.count(b"{") + body.count(b"[") > MAX_OBJECTS or body.count(b",") > MAX_VALUES:
            raise IndexNonsense(url, "its JSON holds more than a project page can")
        page, files = _loaded(body, url)
        _check_api_version(_mapping(page.get("meta")).get("api-version"), url)
        claimed = page.get("name")
        if isinstance(claimed, str) and canonicalize_name(claimed) != name:
            raise IndexNonsense(url, f"it describes the project {claimed}, not {name}")
        status = _mapping(page.get("project-status"))
        return _listing(name, url, files, _text(status.get("status")), _text(status.get("reason")))
    if kind in HTML_TYPES:
        return _from_html(body, content_type, name, url)
    raise IndexNonsense(url, f"its content type is {kind or 'not stated'}, which is that of no project page")


def page_of(listing: Listing, *, name: NormalizedName, url: str, index: str) -> ProjectPage:
    """Return the page of a listing.

    Args:
        listing: the content.
        name: the project.
        url: where it came from, to resolve relative links.
        index: the name of its source in reports.

    Raises:
        IndexNonsense: on access to a version whose entries cannot be decoded.
    """

    def files_of(place: int) -> VersionFiles:
        entries = _entries(listing.shelves[place], url)
        names = [entry["filename"] for entry in entries]
        if any(
            _version(version_text(filename, name) or "") != version_of(listing.versions[place]) for filename in names
        ):
            raise IndexNonsense(url, _MIXED)
        return VersionFiles(names, lambda at: file_of(entries[at], name, url, index))

    return ProjectPage.from_files_of(
        name,
        listing.versions,
        files_of,
        listing.stray,
        status=listing.status,
        status_reason=listing.status_reason,
        indexes=(index,),
    )


def parse_links(body: bytes, content_type: str, *, url: str, index: str) -> Iterator[Listed | UnreadableFile]:
    """Yield the files that an HTML page links to. Raises `IndexNonsense` where it links to none."""
    from wheelcheck.standards.simple_html import Markup

    page = Markup(body, content_type, url)
    _check_api_version(page.metas.get("pypi:repository-version"), url)
    return (file_of(entry, None, url, index) for entry in page.entries)


# -- one file


def file_of(entry: Mapping[str, Any], name: NormalizedName | None, url: str, index: str) -> Listed | UnreadableFile:
    """Return the file of an entry (PEP 691), or its name with the reason why it is unusable."""
    filename, link = entry["filename"], entry.get("url")
    if not isinstance(link, str):
        return UnreadableFile(filename=filename, why="its entry lacks a filename or a url")
    hashes = entry.get("hashes") or {}
    if "#" in link or "&" in link:
        link, hashes = link.partition("#")[0], {**hashes, **hash_pairs(link)}
    address = absolute(url, link)
    python = _text(entry.get("requires-python"))
    yanked, size = entry.get("yanked"), entry.get("size")
    core = next((entry[key] for key in CORE_METADATA_KEYS if entry.get(key) is not None), False)
    file = read_file(
        filename,
        name,
        url=address or "",
        index=index,
        fault=_fault(entry, address, hashes),
        hashes=_hashes(hashes),
        requires_python=python if not python or excess_of(python) is None else None,
        yanked=(yanked if isinstance(yanked, str) else "") if yanked else None,
        upload_time=_text(entry.get("upload-time")),
        size=size if type(size) is int and size >= 0 else None,
        core_metadata=_hashes(core) or bool(core),
    )
    if last_part(link) != filename and not isinstance(file, UnreadableFile):  # pip goes by the URL alone
        return UnreadableFile(filename=filename, why="its URL ends in another name")
    return file


def _fault(entry: Mapping[str, Any], address: str | None, hashes: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an entry, so that nothing it says about its file can be relied on; None where nothing
    is.
    """
    python = entry.get("requires-python")
    if address is None:
        return "its URL cannot be parsed"
    if python and (excess := excess_of(python)):
        return f"its Requires-Python {excess}"
    return fault_of_hashes(hashes)


def _entries(entries_text: bytes | memoryview, url: str) -> list[dict[str, Any]]:
    """Decode the entries of one version; this is where damage in the split text shows."""
    if not entries_text:
        return []
    try:
        entries = json.loads(b"".join((b"[{", entries_text, b"}]")))
    except (ValueError, RecursionError) as error:
        raise _undecodable(error, url) from None
    if not all(isinstance(entry, dict) and isinstance(entry.get("filename"), str) for entry in entries):
        raise IndexNonsense(url, "its JSON has a file without a name")
    found: list[dict[str, Any]] = entries
    return found


# -- from JSON


class _Run(NamedTuple):
    """Consecutive files of one version, as far as their names tell.

    Attributes:
        filename: the name of the first file.
        begin, end: the bounds of their text, between the first opening and the last closing brace.
    """

    filename: str
    begin: int
    end: int


class _Files(NamedTuple):
    """The files of a page: a text with their entries, and all runs in it."""

    text: bytes
    runs: Sequence[_Run]


_KEY = b'"filename"'
_FIRST = pattern(rb'"files"\s*:\s*\[\s*\{')
_COLON = pattern(rb'\s*:\s*"')
_LAST = pattern(rb"\}\s*\]")
_BETWEEN = pattern(rb"\}\s*,\s*\{")
_GAP = b"},{"


def _cut(body: bytes) -> _Files | None:
    """Return where the files of a page are in its text, which is JSON; None where that is not certain.

    It is certain if the rest of the page is JSON with an empty list of files, and if there are as many entries as keys
    ``filename``: no string can contain such a key, since its quotation marks would be escaped. Whether the text of a
    run is JSON, and each key that of its own entry, is checked when it is decoded.
    """
    first, last = _FIRST.search(body), _LAST.search(body, max(0, body.rfind(_KEY)))
    if first is None or last is None:
        return None
    try:
        page = json.loads(body[: first.end() - 1] + body[last.start() + 1 :])
        runs = _runs(body, first.end(), last.start())
    except (ValueError, RecursionError):
        return None
    if runs is None or not isinstance(page, dict) or page.get("files") != []:
        return None
    return _Files(body, runs)


def _runs(body: bytes, start: int, stop: int) -> list[_Run] | None:
    """Return the runs in a part of a page, or None where their bounds are not certain.

    The loop visits each of perhaps ten thousand files, so it does as little as it can.
    """
    key, between = body.find(_KEY, start, stop), _BETWEEN.search(body, start, stop)
    colon = _COLON.match(body, key + len(_KEY))
    if colon is None:
        return None
    gap, to_name = between[0] if between else _GAP, len(_KEY) + len(colon[0])
    found: list[tuple[str, int]] = []
    number, close, same = 0, start, _NONE
    while key >= 0:
        before, name = close, key + to_name
        close = body.find(b'"', name)
        if not (body.startswith(same, name) and body.endswith(b".whl", name, close)):
            begin = start if not number else _only(gap, body, before, key)
            if begin is None or body[key + len(_KEY) : name] != colon[0] or b"\\" in body[name:close]:
                return None
            found.append((body[name:close].decode(), begin))
            same = _start(body[name:close])
        number += 1
        key = body.find(_KEY, close, stop)
    if body.count(gap, start, stop) != number - 1:
        return None
    ends = [*(begin - len(gap) for _, begin in found[1:]), stop]
    return [_Run(filename, begin, end) for (filename, begin), end in zip(found, ends, strict=True)]


def _only(gap: bytes, body: bytes, start: int, stop: int) -> int | None:
    """Return the position after the only gap in a part of a text; None where there is none, or more than one."""
    place = body.find(gap, start, stop)
    return place + len(gap) if place >= 0 and place == body.rfind(gap, start, stop) else None


_NONE = b'"'
"""A prefix that no file name has."""


def _start(filename: bytes) -> bytes:
    """Return the common prefix of the names of all wheels of a version, derived from one name."""
    return b"-".join(filename.split(b"-", 2)[:2]) + b"-" if filename.endswith(b".whl") else _NONE


def _loaded(body: bytes, url: str) -> tuple[Mapping[str, Any], _Files]:
    """Decode a page, and return it with the texts of its files.

    All of it is decoded, and what is found of the files dropped, so that no damage goes unnoticed because an answer
    does not need the version that it is in.
    """
    try:
        page = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _undecodable(error, url) from None
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise IndexNonsense(url, "its JSON has no list of files")
    entries = page["files"]
    if not all(map(_is_typed, entries)):
        number = next(number for number, entry in enumerate(entries) if not _is_typed(entry))
        raise IndexNonsense(url, f"entry {number + 1} of its files lacks a name, or has values of the wrong types")
    for entry in entries:
        filename, link = entry["filename"], entry.get("url")
        if not link or (link.endswith(f"/{filename}") and "?" not in link and "#" not in link):
            continue
        other = last_part(link)
        if other == filename:
            continue
        if other.endswith((".whl", *SDIST_ENDINGS)):  # pip goes by the URL, uv by the name
            raise IndexNonsense(url, f"it lists {shown(filename)} with a URL that ends in {shown(other)}")
    return page, _cut(body) or _files(entries)


def _is_typed(entry: Any) -> bool:
    """Return whether the values of an entry are of the types of PEP 691, as far as they decide."""
    return (
        type(entry) is dict
        and type(entry.get("filename")) is str
        and type(entry.get("url", "")) in _TEXT
        and type(entry.get("hashes", _NOTHING)) is dict
        and type(entry.get("requires-python", "")) in _TEXT
    )


_TEXT = frozenset({str, type(None)})
_NOTHING: dict[str, str] = {}


def _undecodable(error: Exception, url: str) -> IndexNonsense:
    why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return IndexNonsense(url, f"its JSON cannot be parsed ({why})")


def _files(entries: Sequence[Mapping[str, Any]]) -> _Files:
    """Return decoded entries in the form of split ones, each a run of its own."""
    texts = [json.dumps(entry, separators=(",", ":"))[1:-1].encode("ascii") for entry in entries]
    ends = accumulate(len(text) + len(_GAP) for text in texts)
    runs = [
        _Run(entry["filename"], end - len(_GAP) - len(text), end - len(_GAP))
        for entry, text, end in zip(entries, texts, ends, strict=True)
    ]
    return _Files(_GAP.join(texts), runs)


def _check_api_version(stated: Any, url: str) -> None:
    major = str(stated or "1").partition(".")[0]
    if major not in KNOWN_MAJORS:
        raise IndexNonsense(url, f"it follows version {stated} of the repository API, which is not known here")


# -- from HTML


def _from_html(body: bytes, content_type: str, name: NormalizedName, url: str) -> Listing:
    from wheelcheck.standards.simple_html import Markup

    page = Markup(body, content_type, url)
    _check_api_version(page.metas.get("pypi:repository-version"), url)
    status, reason = (page.metas.get(f"pypi:project-status{ending}") for ending in ("", "-reason"))
    return _listing(name, url, _files(page.entries), status, reason)


# -- by version


def _listing(
    name: NormalizedName,
    url: str,
    files: _Files,
    status: str | None,
    reason: str | None,
) -> Listing:
    shelves, unplaced = _by_version(name, url, files)
    versions = sorted(shelves, reverse=True)
    active = status in (None, "", "active")
    return Listing(
        status=None if active else status,
        status_reason="" if active else reason or "",
        versions=tuple(map(str, versions)),
        shelves=[_joined_entries(shelves[version]) for version in versions],
        stray=tuple(unplaced),
    )


def _joined_entries(texts: Sequence[memoryview]) -> bytes | memoryview:
    return texts[0] if len(texts) == 1 else _GAP.join(texts)


def _by_version(
    name: NormalizedName, url: str, files: _Files
) -> tuple[dict[Version, list[memoryview]], list[UnreadableFile]]:
    """Group the texts of entries by version; return the files whose names have none as well."""
    text = memoryview(files.text)
    shelves: dict[Version, list[memoryview]] = {}
    unplaced: list[UnreadableFile] = []
    for version, same in groupby(files.runs, lambda run: _version(version_text(run.filename, name) or "")):
        runs = list(same)
        entries_text = text[runs[0].begin : runs[-1].end]
        if version is None:
            unplaced += _unplaced(name, url, entries_text)
        else:
            shelves.setdefault(version, []).append(entries_text)
    return shelves, unplaced


def _version(text: str) -> Version | None:
    try:
        return version_of(text)
    except InvalidVersion:
        return None


def _unplaced(name: NormalizedName, url: str, entries_text: memoryview) -> Iterator[UnreadableFile]:
    """Yield the files without a version, after decoding their entries to check that the names are theirs."""
    for entry in _entries(entries_text, url):
        file = read_file(entry["filename"], name, url="")
        if not isinstance(file, UnreadableFile):
            raise IndexNonsense(url, _MIXED)
        yield file


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _hashes(value: Any) -> dict[str, str]:
    return {key: digest.lower() for key, digest in _mapping(value).items() if isinstance(digest, str)}
