"""Distribution files, the project pages that list them and the core metadata inside them, parsed from bytes.

Standards: binary distribution format (PEP 427), source distribution names (PEP 625), simple repository API
(PEP 503, 592, 629, 691, 700, 714, 792), core metadata. Nothing here touches a network or a file system.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from html.parser import HTMLParser
from itertools import product
from types import ModuleType
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote, urljoin, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelcheck.failures import IndexNonsense
from wheelcheck.values import field, record

MOST_TAGS = 1024
"""A compressed tag set that expands to more triples than this is refused: no honest wheel comes near."""

SDIST_ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tar.Z", ".tgz", ".tar")
OTHER_ENDINGS = (".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg", ".asc", ".sig", ".metadata", ".provenance")
KNOWN_MAJORS = ("0", "1")
LONGEST_NAME = 255
"""Characters of a file name; file systems take no more."""

_HUGE_NUMBER = re.compile(r"\d{500}")
"""Longer numbers are refused: Python stops converting at 4,300 digits, where a setting does not stop it earlier."""


@lru_cache(maxsize=65536)
def version_of(text: str) -> Version:
    """A version (PEP 440). Raises `InvalidVersion`."""
    if _HUGE_NUMBER.search(text):
        raise InvalidVersion("a number in it is too long")
    return Version(text)


@lru_cache(maxsize=65536)
def specifiers_of(text: str) -> SpecifierSet:
    """A set of version specifiers (PEP 440). Raises `InvalidSpecifier`."""
    if _HUGE_NUMBER.search(text):
        raise InvalidSpecifier("a number in it is too long")
    return SpecifierSet(text)


@lru_cache(maxsize=65536)
def requirement_of(text: str) -> Requirement:
    """A requirement (PEP 508). Raises `InvalidRequirement`."""
    if _HUGE_NUMBER.search(text):
        raise InvalidRequirement("a number in it is too long")
    try:
        return Requirement(text)
    except RecursionError:
        raise InvalidRequirement("its parentheses are nested too deeply") from None


@lru_cache(maxsize=65536)
def tag_set(compressed: str) -> tuple[str, ...]:
    """The triples that a compressed tag set such as ``py2.py3-none-any`` stands for (PEP 425).

    Raises:
        ValueError: not three non-empty parts, or more than `MOST_TAGS` triples.
    """
    parts = [part.split(".") for part in compressed.lower().split("-")]
    if len(parts) != 3 or not all(all(member) for member in parts):
        raise ValueError("its tags are not of the form python-abi-platform")
    if len(parts[0]) * len(parts[1]) * len(parts[2]) > MOST_TAGS:
        raise ValueError(f"its tags expand to more than {MOST_TAGS} triples")
    return tuple("-".join(triple) for triple in product(*parts))


@record
class File:
    """One distribution file as an index lists it.

    Attributes:
        filename: the name as published.
        name: the project, normalised.
        version: its version (PEP 440).
        url: where it is, absolute.
        index: the index or directory that listed it.
        hashes: algorithm to hexadecimal digest; empty where the index gives none.
        requires_python: the specifier as published, or None.
        yanked: the reason for withdrawing it (may be empty), or None.
        upload_time: ISO 8601 as published, or None.
        size: bytes, or None.
        core_metadata: whether the index serves the metadata beside the file (PEP 714): False, True, or its hashes.
    """

    filename: str
    name: NormalizedName = field(hash=False)
    version: Version = field(hash=False)
    url: str
    index: str = field(default="", hash=False)
    hashes: Mapping[str, str] = field(default_factory=dict, hash=False)
    requires_python: str | None = field(default=None, hash=False)
    yanked: str | None = field(default=None, hash=False)
    upload_time: str | None = field(default=None, hash=False)
    size: int | None = field(default=None, hash=False)
    core_metadata: bool | Mapping[str, str] = field(default=False, hash=False)


@record
class Wheel(File):
    """A built distribution. `tags` is its compressed tag set; `build` its build number, empty where it has none."""

    tags: str = field(hash=False)
    build: tuple[int, str] | tuple[()] = field(default=(), hash=False)

    @property
    def triples(self) -> tuple[str, ...]:
        """Every tag triple of the file, expanded."""
        return tag_set(self.tags)


@record
class Sdist(File):
    """A source distribution."""


@record
class UnreadableFile:
    """A file whose name says nothing that can be used, kept with why. `label` is a wheel variant's (PEP 825 draft)."""

    filename: str
    why: str
    label: str | None = None


Listed: TypeAlias = "Wheel | Sdist"


class ProjectPage:
    """All files of a project on one index, or merged from several; nothing that was listed is dropped.

    A page may list ten thousand files of which an answer looks at ten, so the files of a version are read from their
    names when they are first asked for.

    Attributes:
        name: the project, normalised.
        status: PEP 792: ``archived``, ``deprecated``, ``quarantined``; None for an active project.
        versions: the files of each version, newest version first.
    """

    def __init__(
        self,
        *,
        name: NormalizedName,
        files: Iterable[Listed] = (),
        unreadable: Iterable[UnreadableFile] = (),
        status: str | None = None,
    ) -> None:
        self.name = name
        self.status = status
        self._stray = tuple(unreadable)
        found: dict[Version, list[Listed | UnreadableFile]] = {}
        for file in files:
            found.setdefault(file.version, []).append(file)
        self._shelves = _Shelves(found, found.__getitem__)

    @classmethod
    def of_shelves(
        cls,
        name: NormalizedName,
        versions: Iterable[Version],
        read: Callable[[Version], Iterable[Listed | UnreadableFile]],
        stray: Iterable[UnreadableFile] = (),
        status: str | None = None,
    ) -> ProjectPage:
        """A page whose files are read version by version; `stray` are the files of which no version is known."""
        page = cls(name=name, unreadable=stray, status=status)
        page._shelves = _Shelves(versions, read)
        return page

    @property
    def versions(self) -> Mapping[Version, tuple[Listed, ...]]:
        """The files of each version, newest version first; a version whose every file is unreadable has none."""
        return self._shelves

    @property
    def files(self) -> tuple[Listed, ...]:
        """Every file, by version."""
        return tuple(file for files in self._shelves.values() for file in files)

    @property
    def unreadable(self) -> tuple[UnreadableFile, ...]:
        """Files whose names say nothing that can be used."""
        return (*self._stray, *(file for version in self._shelves for file in self._shelves.unreadable(version)))

    def read(self, version: Version) -> Iterator[Listed | UnreadableFile]:
        """Everything that is listed under a version."""
        yield from self._shelves.get(version, ())
        yield from self._shelves.unreadable(version)


class _Shelves(Mapping[Version, "tuple[Listed, ...]"]):
    """Files by version, each version read once, when it is first asked for."""

    def __init__(
        self, versions: Iterable[Version], read: Callable[[Version], Iterable[Listed | UnreadableFile]]
    ) -> None:
        self._order = tuple(sorted(versions, reverse=True))
        self._known = frozenset(self._order)
        self._read = read
        self._files: dict[Version, tuple[tuple[Listed, ...], tuple[UnreadableFile, ...]]] = {}

    def __getitem__(self, version: Version) -> tuple[Listed, ...]:
        if version not in self._known:
            raise KeyError(version)
        return self._shelf(version)[0]

    def __iter__(self) -> Iterator[Version]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)

    def unreadable(self, version: Version) -> tuple[UnreadableFile, ...]:
        return self._shelf(version)[1] if version in self._known else ()

    def _shelf(self, version: Version) -> tuple[tuple[Listed, ...], tuple[UnreadableFile, ...]]:
        try:
            return self._files[version]
        except KeyError:
            listed = tuple(self._read(version))
            files = tuple(file for file in listed if not isinstance(file, UnreadableFile))
            unreadable = tuple(file for file in listed if isinstance(file, UnreadableFile))
            return self._files.setdefault(version, (files, unreadable))


def merged(name: NormalizedName, pages: Iterable[ProjectPage]) -> ProjectPage:
    """One page for what several sources list of a project, in the order of the sources."""
    pages = tuple(pages)
    if len(pages) == 1:
        return pages[0]
    return ProjectPage.of_shelves(
        name,
        {version for page in pages for version in page.versions},
        lambda version: (file for page in pages for file in page.read(version)),
        (file for page in pages for file in page._stray),  # noqa: SLF001 -- of its own class
        _gravest(page.status for page in pages),
    )


def _gravest(statuses: Iterable[str | None]) -> str | None:
    """Of what several indexes say of a project's status, what warns the most."""
    said = {status for status in statuses if status}
    known = ("quarantined", "archived", "deprecated")
    return next((status for status in known if status in said), min(said, default=None))


# -- names of files


class UnreadableName(ValueError):
    """A file name that cannot be read; `label` where it is a wheel variant."""

    def __init__(self, why: str, label: str | None = None) -> None:
        super().__init__(why)
        self.label = label


def read_wheel_name(filename: str) -> tuple[NormalizedName, Version, tuple[int, str] | tuple[()], str]:
    """Project, version, build number and compressed tags of a wheel file name.

    Raises:
        UnreadableName: it does not follow the binary distribution format; with `label` where it is a variant.
    """
    parts = filename[: -len(".whl")].split("-")
    label = _variant_label(parts)
    if label:
        raise UnreadableName(f"it is a wheel variant ({label}), which installers of today do not take", label)
    if len(parts) not in (5, 6):
        raise UnreadableName(f"a wheel name has five or six parts between dashes, this one {len(parts)}")
    name, version = parts[0], parts[1]
    if not re.fullmatch(r"[\w.]+", name) or "__" in name:
        raise UnreadableName(f"{name!r} is not a project name")
    build: tuple[int, str] | tuple[()] = ()
    if len(parts) == 6:
        number = re.match(r"\d+", parts[2])
        if not number:
            raise UnreadableName(f"its build number {parts[2]!r} does not begin with a digit")
        build = int(number[0]), parts[2][number.end() :]
    tags = "-".join(parts[-3:]).lower()
    try:
        tag_set(tags)
        return canonicalize_name(name), version_of(version.replace("_", "-")), build, tags
    except InvalidVersion:
        raise UnreadableName(f"{version!r} is not a version (PEP 440)") from None
    except ValueError as error:
        raise UnreadableName(str(error)) from None


def _variant_label(parts: list[str]) -> str | None:
    """The label of a wheel variant, whose tags are followed by one more part (PEP 825 draft)."""
    if len(parts) not in (6, 7):
        return None
    python = parts[-4]
    return parts[-1] if re.fullmatch(r"(py|cp|pp)\d+(\.(py|cp|pp)\d+)*", python) else None


def read_sdist_name(filename: str, project: NormalizedName | None = None) -> tuple[NormalizedName, Version]:
    """Project and version of an sdist file name; `project` settles where the name ends in names older than PEP 625.

    Raises:
        UnreadableName: no part of it is a version.
    """
    stem = next((filename[: -len(ending)] for ending in SDIST_ENDINGS if filename.endswith(ending)), None)
    if stem is None:
        raise UnreadableName("it is neither a wheel nor a source distribution")
    name, _, version = stem.rpartition("-")
    if project is not None:
        dashes = (match.start() for match in re.finditer("-", stem))
        cut = next((at for at in dashes if canonicalize_name(stem[:at]) == project), None)
        if cut is None:
            raise UnreadableName(f"it does not begin with the project name {project}")
        name, version = stem[:cut], stem[cut + 1 :]
    if not name:
        raise UnreadableName("it is not of the form project-version")
    try:
        return canonicalize_name(name), version_of(version)
    except InvalidVersion:
        raise UnreadableName(f"{version!r} is not a version (PEP 440)") from None


def read_file(filename: str, project: NormalizedName | None = None, **about: Any) -> Listed | UnreadableFile:
    """The file that a name stands for, or the name with why it says nothing. `about` fills the fields of `File`."""
    try:
        _check_form(filename)
        if not filename.endswith(".whl"):
            name, version = read_sdist_name(filename, project)
            return Sdist(filename=filename, name=name, version=version, **about)
        name, version, build, tags = read_wheel_name(filename)
        if project is not None and name != project:
            raise UnreadableName(f"it belongs to the project {name}")
        return Wheel(filename=filename, name=name, version=version, build=build, tags=tags, **about)
    except UnreadableName as error:
        return UnreadableFile(filename=filename, why=str(error), label=error.label)


def direct_file(url: str, project: NormalizedName) -> Listed | UnreadableFile:
    """The file that a direct reference names (``name @ url``); a digest in its fragment is the file's."""
    link, _, fragment = url.partition("#")
    return read_file(_last_part(link), project, url=link, hashes=_hash_pairs(fragment))


def _check_form(filename: str) -> None:
    if not filename:
        raise UnreadableName("it is empty")
    if not filename.isprintable():
        raise UnreadableName("it holds a character that cannot be printed")
    if {"/", "\\"} & set(filename) or filename in (".", ".."):
        raise UnreadableName("it is a path, not a file name")
    if len(filename) > LONGEST_NAME:
        raise UnreadableName(f"it has more than {LONGEST_NAME} characters")


# -- pages


def parse_page(body: bytes, content_type: str, *, name: NormalizedName, url: str, index: str) -> ProjectPage:
    """A project page from the body that an index sent.

    Args:
        body: the bytes after any content encoding.
        content_type: the header's value; it decides between JSON and HTML, not what was asked for.
        name: the project that was asked for.
        url: where the body came from, after redirects; relative links are taken from it.
        index: how the source is named in answers.

    Raises:
        IndexNonsense: the body is not such a page.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith("json"):
        return parse_json(body, name=name, url=url, index=index)
    if kind in ("text/html", "application/vnd.pypi.simple.v1+html", "application/xhtml+xml", ""):
        return parse_html(body, name=name, url=url, index=index)
    raise IndexNonsense(url, f"its content type is {kind}")


def parse_json(body: bytes, *, name: NormalizedName, url: str, index: str) -> ProjectPage:
    """A page in the JSON form (PEP 691, 700, 792). Raises `IndexNonsense` as `parse_page` does."""
    try:
        page = _decoded(body)
    except (ValueError, RecursionError) as error:
        raise IndexNonsense(url, f"its JSON cannot be parsed ({type(error).__name__})") from None
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise IndexNonsense(url, "its JSON has no list of files")
    _check_api_version(_mapping(page.get("meta")).get("api-version"), url)
    claimed = page.get("name")
    if isinstance(claimed, str) and canonicalize_name(claimed) != name:
        raise IndexNonsense(url, f"it describes the project {claimed}, not {name}")
    status = _mapping(page.get("project-status")).get("status")
    entries: list[tuple[str, Any]] = []
    stray: list[UnreadableFile] = []
    for entry in page["files"]:
        if _is_entry(entry):
            entries.append((entry["filename"], entry))
        else:
            stray.append(_no_entry(entry))
    return _page(
        name,
        entries,
        lambda filename, entry: _json_file(filename, entry, name, url, index),
        stray,
        status if isinstance(status, str) and status != "active" else None,
    )


def _decoded(body: bytes) -> Any:
    """The value of a JSON text; by msgspec where it is installed, and what that refuses by the standard library."""
    msgspec = _msgspec()
    if msgspec is not None:
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            pass
    return json.loads(body)


@lru_cache(maxsize=1)
def _msgspec() -> ModuleType | None:
    """The accelerator of the extra ``fast``, or None."""
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("filename"), str) and isinstance(entry.get("url"), str)


def _no_entry(entry: Any) -> UnreadableFile:
    entry = _mapping(entry)
    filename = entry.get("filename") or entry.get("url") or "?"
    return UnreadableFile(filename=str(filename), why="its entry lacks a filename or a url")


def _json_file(
    filename: str, entry: Mapping[str, Any], name: NormalizedName, url: str, index: str
) -> Listed | UnreadableFile:
    address = _absolute(url, entry["url"])
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


CORE_METADATA_KEYS = ("core-metadata", "dist-info-metadata", "data-dist-info-metadata")
"""The three names of one key in the order in which they count (PEP 714)."""


def parse_html(body: bytes, *, name: NormalizedName, url: str, index: str) -> ProjectPage:
    """A page in the HTML form (PEP 503, 592, 629, 658). Raises `IndexNonsense` as `parse_page` does."""
    metas, links = _read_anchors(body, url)
    status = metas.get("pypi:project-status")
    return _page(
        name,
        links,
        lambda filename, anchor: _html_file(filename, *anchor, name, index),
        (),
        status if status != "active" else None,
    )


def parse_links(body: bytes, *, url: str, index: str) -> Iterator[Listed | UnreadableFile]:
    """The files of any project to which an HTML page links. Raises `IndexNonsense` where it links to none."""
    _, links = _read_anchors(body, url)
    return (_html_file(filename, *anchor, None, index) for filename, anchor in links)


def _read_anchors(body: bytes, url: str) -> tuple[dict[str, str], list[tuple[str, tuple[str, dict[str, str]]]]]:
    """What an HTML page says of itself, and the file name, target and attributes of each anchor."""
    parser = _Anchors()
    try:
        parser.feed(body.decode("utf-8", "replace"))
        parser.close()
    except AssertionError:
        raise IndexNonsense(url, "its HTML cannot be parsed") from None
    _check_api_version(parser.metas.get("pypi:repository-version"), url)
    base = _absolute(url, parser.base)
    if base is None:
        raise IndexNonsense(url, "its base URL cannot be parsed")
    links = [(_absolute(base, href) or href, attrs) for href, attrs in parser.anchors]
    names = [_last_part(link) for link, _ in links]
    looks_like_files = any(text.endswith((".whl", *SDIST_ENDINGS, *OTHER_ENDINGS)) for text in names)
    if (links or parser.interactive) and not looks_like_files:
        raise IndexNonsense(url, "it is a web page that lists no distribution files")
    return parser.metas, list(zip(names, links, strict=True))


def _html_file(
    filename: str, link: str, attrs: Mapping[str, str], name: NormalizedName | None, index: str
) -> Listed | UnreadableFile:
    if not _is_url(link):
        return UnreadableFile(filename=filename, why="its URL cannot be parsed")
    link, _, fragment = link.partition("#")
    core = next((attrs[f"data-{key}"] for key in CORE_METADATA_KEYS[:2] if attrs.get(f"data-{key}")), "")
    return read_file(
        filename,
        name,
        url=link,
        index=index,
        hashes=_hash_pairs(fragment),
        requires_python=attrs.get("data-requires-python") or None,
        yanked=attrs.get("data-yanked"),
        upload_time=attrs.get("data-upload-time"),
        core_metadata=_hash_pairs(core) or core == "true",
    )


def _last_part(link: str) -> str:
    """The file name that a link ends in, percent-encoding undone."""
    return unquote(re.split("[?#]", link, maxsplit=1)[0].rstrip("/").rpartition("/")[2])


class _Anchors(HTMLParser):
    """Collects what a project page says: anchors with a target, meta elements, a base, and signs of a login form."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: list[tuple[str, dict[str, str]]] = []
        self.metas: dict[str, str] = {}
        self.base = ""
        self.interactive = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "a" and values.get("href"):
            self.anchors.append((values["href"], values))
        elif tag == "base" and not self.base:
            self.base = values.get("href", "")
        elif tag == "meta" and "name" in values:
            self.metas[values["name"].lower()] = values.get("content", "")
        elif tag in ("form", "input", "script"):
            self.interactive = True


Entry = TypeVar("Entry")


def _page(
    name: NormalizedName,
    entries: Iterable[tuple[str, Entry]],
    read: Callable[[str, Entry], Listed | UnreadableFile],
    stray: Iterable[UnreadableFile],
    status: str | None,
) -> ProjectPage:
    """A page of named entries, each of which is read when its version is asked for."""
    shelves: dict[Version, list[tuple[str, Entry]]] = {}
    unplaced: list[UnreadableFile] = list(stray)
    for filename, entry in entries:
        version = _version_in(filename, name)
        if version is not None:
            shelves.setdefault(version, []).append((filename, entry))
            continue
        file = read(filename, entry)
        assert isinstance(file, UnreadableFile)
        unplaced.append(file)
    return ProjectPage.of_shelves(
        name, shelves, lambda version: (read(*named) for named in shelves[version]), unplaced, status
    )


def _version_in(filename: str, project: NormalizedName) -> Version | None:
    """The version that a file name states, by the least work; None where it states none."""
    try:
        if filename.endswith(".whl"):
            return version_of(filename.split("-", 2)[1].replace("_", "-"))
        return read_sdist_name(filename, project)[1]
    except (IndexError, ValueError):
        return None


def _check_api_version(stated: Any, url: str) -> None:
    major = str(stated or "1").partition(".")[0]
    if major not in KNOWN_MAJORS:
        raise IndexNonsense(url, f"it follows version {stated} of the repository API, which is not known here")


def _absolute(base: str, link: str) -> str | None:
    """The link as seen from `base`, or None where it cannot be parsed."""
    if not _is_url(link):
        return None
    return link if link.startswith(("https://", "http://", "file://")) else urljoin(base, link)


def _is_url(link: str) -> bool:
    if link.isascii() and "[" not in link and "]" not in link:
        return True
    try:
        urlsplit(link)
    except ValueError:
        return False
    return True


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _hashes(value: Any) -> dict[str, str]:
    return {key: digest.lower() for key, digest in _mapping(value).items() if isinstance(digest, str)}


def _hash_pairs(text: str) -> dict[str, str]:
    pairs = re.findall(r"(?:^|&)(md5|sha1|sha224|sha256|sha384|sha512|blake2b)=([0-9a-fA-F]+)", text)
    return {algorithm: digest.lower() for algorithm, digest in pairs}


# -- core metadata


class MetadataError(ValueError):
    """Core metadata that cannot be used, with why."""


@record
class Metadata:
    """What a distribution says of itself, as far as compatibility goes (core metadata specification).

    Attributes:
        name, version: as stated, the name normalised.
        requires_dist: every requirement, markers unevaluated.
        requires_python: the specifier, or None.
        extras: the extras that it provides, normalised.
        dynamic: fields that a build may change (PEP 643), lower case.
    """

    name: NormalizedName
    version: str
    requires_dist: tuple[Requirement, ...] = ()
    requires_python: str | None = None
    extras: frozenset[NormalizedName] = frozenset()
    dynamic: frozenset[str] = frozenset()


def parse_metadata(body: bytes) -> Metadata:
    """Core metadata from the bytes of METADATA or PKG-INFO: the headers only, without the description.

    Raises:
        MetadataError: not UTF-8, without name or version, or with a requirement that cannot be parsed. Requires-Python
            is taken as it stands: older releases have some that cannot be parsed, and pip overlooks those.
    """
    head = _headers(body)
    many: dict[str, list[str]] = {}
    for key, value in head:
        many.setdefault(key, []).append(value)
    name, version = _only(many, "name"), _only(many, "version")
    try:
        requires = tuple(requirement_of(text) for text in many.get("requires-dist", ()))
    except InvalidRequirement as error:
        raise MetadataError(f"it has a requirement that cannot be parsed: {str(error).splitlines()[0]}") from None
    return Metadata(
        name=canonicalize_name(name),
        version=version,
        requires_dist=requires,
        requires_python=many.get("requires-python", [""])[0] or None,
        extras=frozenset(canonicalize_name(extra) for extra in many.get("provides-extra", ())),
        dynamic=frozenset(value.lower() for value in many.get("dynamic", ())),
    )


_EMPTY_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r|\n)")
_FOLD = re.compile(r"(?:\r\n|\r|\n)[ \t]+")


def _headers(body: bytes) -> Iterator[tuple[str, str]]:
    """The header lines before the first empty one, unfolded, names in lower case."""
    end = _EMPTY_LINE.search(body)
    try:
        text = body[: end.start() if end else len(body)].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MetadataError(f"it is not UTF-8 (byte {error.start})") from None
    for line in re.split(r"\r\n|\r|\n", _FOLD.sub(" ", text)):
        key, colon, value = line.partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _only(fields: Mapping[str, list[str]], key: str) -> str:
    values = fields.get(key, [])
    if len(values) != 1 or not values[0]:
        raise MetadataError(
            f"it has {len(values) or 'no'} {key} fields instead of one" if len(values) != 1 else f"its {key} is empty"
        )
    return values[0]
