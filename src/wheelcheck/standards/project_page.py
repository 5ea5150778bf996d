"""Distribution files, and the project pages that list them (simple repository API)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import unquote

from packaging.version import Version

from wheelcheck.common.records import field, record
from wheelcheck.standards.filenames import UnreadableName, _check_form, read_sdist_name, read_wheel_name, tag_set
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.specifiers import public, version_of

MAX_FILES = 200_000
"""Maximum number of files on a page; the largest project has a tenth of that."""


@record
class File:
    """One distribution file as an index lists it.

    Attributes:
        filename: the name as published.
        name: the project, normalized.
        version: its version (PEP 440).
        url: its absolute URL.
        index: the index or directory that lists it.
        hashes: algorithm to hex digest; empty where the index publishes none.
        requires_python: the specifier as published, or None.
        yanked: the reason for yanking it (may be empty), or None.
        upload_time: ISO 8601 as published, or None.
        size: bytes, or None.
        core_metadata: whether the index serves its metadata (PEP 714): False, True, or the hashes.
        path: the local path of a file that a snapshot lists under its original `url`; such a URL is shown but never
            requested. None for any other file.
        fault: what is wrong with its entry, so that nothing it says can be relied on; None where nothing is. Such a
            file ends the search, since leaving it out could choose another one than an installer does.
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
    fault: str | None = field(default=None, hash=False)


@record
class Wheel(File):
    """A built distribution. `tags` is its compressed tag set, `build` its build number or empty."""

    tags: str = field(hash=False)
    build: tuple[int, str] | tuple[()] = field(default=(), hash=False)

    @property
    def triples(self) -> tuple[str, ...]:
        """All tag triples of the file, expanded."""
        return tag_set(self.tags)


@record
class Sdist(File):
    """A source distribution."""


@record
class UnreadableFile:
    """A file whose name cannot be parsed, with the reason. `label` is that of a wheel variant (PEP 825 draft)."""

    filename: str
    why: str
    label: str | None = None


Listed: TypeAlias = "Wheel | Sdist"


class VersionFiles(Sequence["Listed | UnreadableFile"]):
    """The files of one version, each parsed on first access. `names` are their file names."""

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
    def of(cls, files: Sequence[Listed | UnreadableFile]) -> VersionFiles:
        """Return a sequence of files that are parsed already."""
        return cls([file.filename for file in files], files.__getitem__)

    @property
    def listed(self) -> tuple[Listed, ...]:
        """The files with valid names."""
        return tuple(file for file in self if not isinstance(file, UnreadableFile))

    @property
    def unreadable(self) -> tuple[UnreadableFile, ...]:
        """The files with invalid names."""
        return tuple(file for file in self if isinstance(file, UnreadableFile))


_EMPTY = VersionFiles((), ().__getitem__)


class ProjectPage:
    """All files of a project on one index, or merged from several; nothing that is listed is dropped.

    A page may list ten thousand files of which an answer needs ten, so versions and files are parsed on first access.

    Attributes:
        name: the project, normalized.
        status: PEP 792: ``archived``, ``deprecated``, ``quarantined``; None for an active project.
        status_reason: the reason that the index gives, or empty.
        indexes: the indexes that have the project; find-links locations do not count.
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
        self._shelves = _FilesByVersion(order, lambda place: VersionFiles.of(found[order[place]]))

    @classmethod
    def from_files_of(
        cls,
        name: NormalizedName,
        versions: Sequence[Version | str],
        files_of: Callable[[int], VersionFiles],
        stray: Iterable[UnreadableFile] = (),
        *,
        status: str | None = None,
        status_reason: str = "",
        indexes: Iterable[str] = (),
    ) -> ProjectPage:
        """Return a page whose files are parsed version by version.

        Args:
            name: the project, normalized.
            versions: its versions or their texts, newest first.
            files_of: returns the files of the version at a position.
            stray: files without a known version.
            status, status_reason, indexes: as the attributes.
        """
        page = cls(name=name, unreadable=stray, status=status, status_reason=status_reason, indexes=indexes)
        page._shelves = _FilesByVersion(versions, files_of)
        return page

    @property
    def versions(self) -> Mapping[Version, tuple[Listed, ...]]:
        """The files of each version, newest version first; empty for a version without a valid file name."""
        return self._shelves

    def alike(self, version: Version) -> Iterator[Version]:
        """Yield the versions that ``==version`` admits, newest first: those with other local labels, and itself."""
        return self._shelves.alike(version)

    def between(self, lowest: Version | None, highest: Version | None) -> Iterator[Version]:
        """Yield the versions within inclusive bounds, local variants included, newest first; None leaves an end
        open.
        """
        return self._shelves.between(lowest, highest)

    @property
    def files(self) -> tuple[Listed, ...]:
        """All files, by version."""
        return tuple(file for files in self._shelves.values() for file in files)

    @property
    def unreadable(self) -> tuple[UnreadableFile, ...]:
        """All files with invalid names."""
        return (*self._stray, *(file for version in self._shelves for file in self.files_of(version).unreadable))

    @property
    def stray(self) -> tuple[UnreadableFile, ...]:
        """Files without a known version."""
        return self._stray

    def files_of(self, version: Version) -> VersionFiles:
        """Return all files that are listed under a version."""
        return self._shelves.files_of(version)


class _FilesByVersion(Mapping[Version, "tuple[Listed, ...]"]):
    """Files by version, newest first; versions and files are parsed on first access."""

    def __init__(self, versions: Sequence[Version | str], read: Callable[[int], VersionFiles]) -> None:
        self._versions: list[Any] = list(versions)
        self._read = read
        self._places: dict[Version, int] = {}
        self._shelf_at: dict[int, VersionFiles] = {}
        self._local: tuple[Version, ...] | None = None

    def __getitem__(self, version: Version) -> tuple[Listed, ...]:
        if version not in self:
            raise KeyError(version)
        return self.files_of(version).listed

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

    def files_of(self, version: Version) -> VersionFiles:
        if version not in self:
            return _EMPTY
        place = self._places[version]
        if place not in self._shelf_at:
            self._shelf_at.setdefault(place, self._read(place))
        return self._shelf_at[place]


def merged(name: NormalizedName, pages: Iterable[ProjectPage]) -> ProjectPage:
    """Merge the pages of a project from several sources, in the order of the sources."""
    pages = tuple(pages)
    if len(pages) == 1:
        return pages[0]
    order = sorted({version for page in pages for version in page.versions}, reverse=True)
    status = _gravest(page.status for page in pages)
    return ProjectPage.from_files_of(
        name,
        order,
        lambda place: _joined([page.files_of(order[place]) for page in pages]),
        (file for page in pages for file in page.stray),
        status=status,
        status_reason=next((page.status_reason for page in pages if page.status == status and page.status_reason), ""),
        indexes=dict.fromkeys(index for page in pages for index in page.indexes),
    )


def _joined(shelves: Sequence[VersionFiles]) -> VersionFiles:
    files = [(group, place) for group in shelves for place in range(len(group))]
    return VersionFiles([group.names[place] for group, place in files], lambda at: files[at][0][files[at][1]])


def _gravest(statuses: Iterable[str | None]) -> str | None:
    """Return the most serious of the statuses that several indexes give a project."""
    said = {status for status in statuses if status}
    known = ("quarantined", "deprecated", "archived")
    return next((status for status in known if status in said), min(said, default=None))


def read_file(filename: str, project: NormalizedName | None = None, **about: Any) -> Listed | UnreadableFile:
    """Parse a file name; `about` fills the other fields of `File`."""
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
    """Return the file of a direct reference (``name @ url``); a hash in the URL's fragment becomes the file's."""
    return read_file(last_part(url), project, url=url.partition("#")[0], hashes=hash_pairs(url))


def last_part(link: str) -> str:
    """Return the file name at the end of a URL, percent-decoded."""
    return unquote(re.split("[?#]", link, maxsplit=1)[0]).rstrip("/").rpartition("/")[2]


def hash_pairs(text: str) -> dict[str, str]:
    """Return the hashes in a URL, or in its fragment, by algorithm.

    As in pip, a hash counts wherever it stands after a ``#`` or ``&``, and the first of an algorithm is the one.
    """
    pairs = re.findall(r"(?:^|[#&])(md5|sha1|sha224|sha256|sha384|sha512|blake2b)=([^&]*)", text)
    return {algorithm: digest.lower() for algorithm, digest in reversed(pairs)}
