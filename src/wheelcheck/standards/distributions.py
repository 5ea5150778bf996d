"""Distribution files, the project pages that list them and the core metadata inside them, parsed from bytes.

Standards: binary distribution format (PEP 427), source distribution names (PEP 625), simple repository API
(PEP 503, 592, 629, 691, 700, 714, 792), core metadata. Nothing here touches a network or a file system.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from packaging.version import InvalidVersion, Version

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import field, record
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.requirements import fault_of, public, requirement_of, version_of

if TYPE_CHECKING:
    from packaging.requirements import Requirement

MOST_TAGS = 1024
"""A compressed tag set that expands to more triples than this is refused: no honest wheel comes near."""

SDIST_ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tar.Z", ".tgz", ".tar")
OTHER_ENDINGS = (".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg", ".asc", ".sig", ".metadata", ".provenance")
LONGEST_NAME = 255
"""Characters of a file name; file systems take no more."""


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
        path: where it would be on this machine, for a file that a snapshot lists with the `url` that it had elsewhere;
            such a URL is shown and never asked. None for any other file.
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
    path: str | None = field(default=None, hash=False)


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


class Shelf(Sequence["Listed | UnreadableFile"]):
    """The files of one version, each read from its entry when it is first looked at. `names` are their file names."""

    def __init__(self, names: Sequence[str], read: Callable[[int], Listed | UnreadableFile]) -> None:
        self.names = names
        self._read = read
        self._files: dict[int, Listed | UnreadableFile] = {}

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, place: Any) -> Any:
        if place not in self._files:
            self._files[place] = self._read(range(len(self.names))[place])
        return self._files[place]

    @classmethod
    def of(cls, files: Sequence[Listed | UnreadableFile]) -> Shelf:
        """A shelf of files that are there already."""
        return cls([file.filename for file in files], files.__getitem__)

    @property
    def listed(self) -> tuple[Listed, ...]:
        """The files whose names can be read."""
        return tuple(file for file in self if not isinstance(file, UnreadableFile))

    @property
    def unreadable(self) -> tuple[UnreadableFile, ...]:
        """Those whose names cannot."""
        return tuple(file for file in self if isinstance(file, UnreadableFile))


_EMPTY = Shelf((), ().__getitem__)


class ProjectPage:
    """All files of a project on one index, or merged from several; nothing that was listed is dropped.

    A page may list ten thousand files of which an answer looks at ten, so versions and files are read when they are
    first asked for.

    Attributes:
        name: the project, normalised.
        status: PEP 792: ``archived``, ``deprecated``, ``quarantined``; None for an active project.
        status_reason: why, in the words of the index; empty where it gives none.
        indexes: the indexes that have the project, as they are named in answers; a place of links is none.
        versions: the files of each version, newest version first.
    """

    def __init__(
        self,
        *,
        name: NormalizedName,
        files: Iterable[Listed] = (),
        unreadable: Iterable[UnreadableFile] = (),
        status: str | None = None,
        status_reason: str = "",
        indexes: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.status = status
        self.status_reason = status_reason
        self.indexes = tuple(indexes)
        self._stray = tuple(unreadable)
        found: dict[Version, list[Listed | UnreadableFile]] = {}
        for file in files:
            found.setdefault(file.version, []).append(file)
        order = sorted(found, reverse=True)
        self._shelves = _Shelves(order, lambda place: Shelf.of(found[order[place]]))

    @classmethod
    def of_shelves(
        cls,
        name: NormalizedName,
        versions: Sequence[Version | str],
        shelf: Callable[[int], Shelf],
        stray: Iterable[UnreadableFile] = (),
        *,
        status: str | None = None,
        status_reason: str = "",
        indexes: Iterable[str] = (),
    ) -> ProjectPage:
        """A page whose files are read version by version.

        Args:
            name: the project, normalised.
            versions: its versions or their texts, newest first.
            shelf: the files of the version at a place.
            stray: the files of which no version is known.
            status, status_reason, indexes: as the attributes.
        """
        page = cls(name=name, unreadable=stray, status=status, status_reason=status_reason, indexes=indexes)
        page._shelves = _Shelves(versions, shelf)
        return page

    @property
    def versions(self) -> Mapping[Version, tuple[Listed, ...]]:
        """The files of each version, newest version first; a version whose every file is unreadable has none."""
        return self._shelves

    def alike(self, version: Version) -> Iterator[Version]:
        """The versions that ``==`` this one admits, newest first: those that differ by a local label, and itself."""
        return self._shelves.alike(version)

    def between(self, lowest: Version | None, highest: Version | None) -> Iterator[Version]:
        """The versions from one to another, both with their local variants, newest first; None leaves an end open."""
        return self._shelves.between(lowest, highest)

    @property
    def files(self) -> tuple[Listed, ...]:
        """Every file, by version."""
        return tuple(file for files in self._shelves.values() for file in files)

    @property
    def unreadable(self) -> tuple[UnreadableFile, ...]:
        """Files whose names say nothing that can be used."""
        return (*self._stray, *(file for version in self._shelves for file in self.shelf(version).unreadable))

    @property
    def stray(self) -> tuple[UnreadableFile, ...]:
        """The files of which no version is known."""
        return self._stray

    def shelf(self, version: Version) -> Shelf:
        """Everything that is listed under a version."""
        return self._shelves.shelf(version)


class _Shelves(Mapping[Version, "tuple[Listed, ...]"]):
    """Files by version, newest first. Versions and files are read when they are first asked for."""

    def __init__(self, versions: Sequence[Version | str], read: Callable[[int], Shelf]) -> None:
        self._versions: list[Any] = list(versions)
        self._read = read
        self._places: dict[Version, int] = {}
        self._shelf_at: dict[int, Shelf] = {}
        self._local: tuple[Version, ...] | None = None

    def __getitem__(self, version: Version) -> tuple[Listed, ...]:
        if version not in self:
            raise KeyError(version)
        return self.shelf(version).listed

    def __iter__(self) -> Iterator[Version]:
        return iter(self._versions) if self._is_read else map(self._version, range(len(self._versions)))

    @property
    def _is_read(self) -> bool:
        return len(self._places) == len(self._versions)

    def _version(self, place: int) -> Version:
        given = self._versions[place]
        version = version_of(given) if isinstance(given, str) else given
        self._versions[place] = version
        self._places[version] = place
        return version

    def __contains__(self, version: object) -> bool:
        return version in self._places or (not self._is_read and any(other == version for other in self))

    def alike(self, version: Version) -> Iterator[Version]:
        if self._local is None:
            self._local = tuple(one for one in self if one.local is not None)
        for one in self._local:
            if one == version or (version.local is None and one.public == version.public):
                yield one
        if version.local is None and version in self:
            yield self._version(self._places[version])

    def between(self, lowest: Version | None, highest: Version | None) -> Iterator[Version]:
        places = range(len(self._versions))
        first = bisect_left(places, True, key=lambda place: highest is None or public(self._version(place)) <= highest)
        last = bisect_left(places, True, first, key=lambda place: lowest is not None and self._version(place) < lowest)
        return map(self._version, places[first:last])

    def __len__(self) -> int:
        return len(self._versions)

    def shelf(self, version: Version) -> Shelf:
        if version not in self:
            return _EMPTY
        place = self._places[version]
        if place not in self._shelf_at:
            self._shelf_at.setdefault(place, self._read(place))
        return self._shelf_at[place]


def merged(name: NormalizedName, pages: Iterable[ProjectPage]) -> ProjectPage:
    """One page for what several sources list of a project, in the order of the sources."""
    pages = tuple(pages)
    if len(pages) == 1:
        return pages[0]
    order = sorted({version for page in pages for version in page.versions}, reverse=True)
    status = _gravest(page.status for page in pages)
    return ProjectPage.of_shelves(
        name,
        order,
        lambda place: _joined([page.shelf(order[place]) for page in pages]),
        (file for page in pages for file in page.stray),
        status=status,
        status_reason=next((page.status_reason for page in pages if page.status == status and page.status_reason), ""),
        indexes=dict.fromkeys(index for page in pages for index in page.indexes),
    )


def _joined(shelves: Sequence[Shelf]) -> Shelf:
    files = [(shelf, place) for shelf in shelves for place in range(len(shelf))]
    return Shelf([shelf.names[place] for shelf, place in files], lambda at: files[at][0][files[at][1]])


def _gravest(statuses: Iterable[str | None]) -> str | None:
    """Of what several indexes say of a project's status, what warns the most."""
    said = {status for status in statuses if status}
    known = ("quarantined", "deprecated", "archived")
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
    tags = tags_in(filename)
    try:
        tag_set(tags)
        return canonicalize_name(name), version_of(version.replace("_", "-")), build, tags
    except InvalidVersion:
        raise UnreadableName(f"{version!r} is not a version (PEP 440)") from None
    except ValueError as error:
        raise UnreadableName(str(error)) from None


def tags_in(filename: str) -> str:
    """The compressed tag set with which the name of a wheel ends."""
    return "-".join(filename[: -len(".whl")].rsplit("-", 3)[-3:]).lower()


def version_text(filename: str, project: NormalizedName) -> str | None:
    """The version that the name of a file of a project states, by the least work; None where it states none."""
    if filename.endswith(".whl"):
        parts = filename.split("-", 2)
        return parts[1].replace("_", "-") if len(parts) > 1 else None
    stem = _stem(filename)
    cut = _end_of_name(stem, project) if stem else None
    return stem[cut + 1 :] if stem and cut is not None else None


def _stem(filename: str) -> str | None:
    for ending in SDIST_ENDINGS:
        if filename.endswith(ending):
            return filename[: -len(ending)]
    return None


def _end_of_name(stem: str, project: NormalizedName) -> int | None:
    """Where the dash stands that ends the project's name in the stem of an sdist name."""
    usual = len(project)
    if stem[usual : usual + 1] == "-" and _is_called(stem[:usual], project):
        return usual
    dashes = (match.start() for match in re.finditer("-", stem))
    return next((at for at in dashes if _is_called(stem[:at], project)), None)


@lru_cache(maxsize=4096)
def _is_called(name: str, project: NormalizedName) -> bool:
    return canonicalize_name(name) == project


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
    stem = _stem(filename)
    if stem is None:
        raise UnreadableName("it is neither a wheel nor a source distribution")
    name, _, version = stem.rpartition("-")
    if project is not None:
        cut = _end_of_name(stem, project)
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
    return read_file(last_part(link), project, url=link, hashes=hash_pairs(fragment))


def last_part(link: str) -> str:
    """The file name that a link ends in, percent-encoding undone."""
    return unquote(re.split("[?#]", link, maxsplit=1)[0].rstrip("/").rpartition("/")[2])


def hash_pairs(text: str) -> dict[str, str]:
    """The digests in a URL's fragment or in ``data-core-metadata``, by algorithm."""
    pairs = re.findall(r"(?:^|&)(md5|sha1|sha224|sha256|sha384|sha512|blake2b)=([0-9a-fA-F]+)", text)
    return {algorithm: digest.lower() for algorithm, digest in pairs}


def _check_form(filename: str) -> None:
    if not filename:
        raise UnreadableName("it is empty")
    if not filename.isprintable():
        raise UnreadableName("it holds a character that cannot be printed")
    if {"/", "\\"} & set(filename) or filename in (".", ".."):
        raise UnreadableName("it is a path, not a file name")
    if len(filename) > LONGEST_NAME:
        raise UnreadableName(f"it has more than {LONGEST_NAME} characters")


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
    except ValueError as error:
        raise MetadataError(f"it has a requirement that cannot be parsed: {fault_of(error)}") from None
    return Metadata(
        name=canonicalize_name(name),
        version=version,
        requires_dist=requires,
        requires_python=many.get("requires-python", [""])[0] or None,
        extras=frozenset(canonicalize_name(extra) for extra in many.get("provides-extra", ())),
        dynamic=frozenset(value.lower() for value in many.get("dynamic", ())),
    )


_EMPTY_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r|\n)")
_FOLD = pattern(r"(?:\r\n|\r|\n)[ \t]+")


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
