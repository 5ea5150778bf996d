"""Lock files (pylock.toml, PEP 751): which packages apply to a target, and which file of each is installed.

A lock file is a whole answer. Its files are selected as the standard says, before any index is queried. Whether they
exist, and whether their dependencies are in the lock file, is left to the resolver.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from wheelcheck.common.errors import Unreadable, UsageError
from wheelcheck.common.records import field, record, replace
from wheelcheck.common.urls import path_of_url, shown
from wheelcheck.resolver.compatibility import Judge
from wheelcheck.resolver.model import Conflict, Missing, NoMatchingVersion, NotForTarget, NotLocked, Outcome, Question
from wheelcheck.standards.core_metadata import Metadata, MetadataError
from wheelcheck.standards.file_problems import BadMetadata, DynamicMetadata, HashMismatch, NotListed
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile, Wheel, read_file
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.standards.source_metadata import document_of

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock
    from packaging.requirements import Requirement

    from wheelcheck.resolver.model import PackageIndex
    from wheelcheck.targets.target import Target

PACKAGES = "[[packages]]"


@record
class Locked:
    """One package of a lock file as it applies to a target.

    Attributes:
        requirement: its version, or its location if it is not from an index.
        table: its position in the file.
        files: the wheel that an installer selects; where none fits the target, all files.
        hashes: their hashes as ``algorithm:digest``.
    """

    requirement: Requirement
    table: str
    files: tuple[Listed | UnreadableFile, ...] = ()
    hashes: tuple[str, ...] = ()

    @property
    def name(self) -> NormalizedName:
        """The project, normalized."""
        return NormalizedName(self.requirement.name)


@record(slots=False)
class Lock:
    """A parsed lock file.

    Attributes:
        file: its name.
        base: the URL of its directory, which its paths are relative to.
        pylock: its content.
        extras: the requested extras.
        groups: the requested dependency groups beside the default ones.
    """

    file: str
    base: str
    pylock: Pylock = field(repr=False)
    extras: tuple[NormalizedName, ...] = ()
    groups: tuple[NormalizedName, ...] = ()

    @classmethod
    def parse(cls, body: bytes, file: str, base: str) -> Lock:
        """Parse a lock file. Raises `UsageError` where it is none."""
        return cls(file=file, base=base, pylock=_validated(_document(body, file), file))

    def with_groups(self, names: Collection[str]) -> Lock:
        """Return the lock file with some of its dependency groups. Raises `UsageError` for one that it does not
        have.
        """
        known = {canonicalize_name(group): NormalizedName(group) for group in self.pylock.dependency_groups or ()}
        missing = next((name for name in names if canonicalize_name(name) not in known), None)
        if missing is not None:
            listed = ", ".join(sorted(known)) or "none"
            raise UsageError(f"{self.file} has no dependency group {missing}: it has {listed}.")
        return replace(self, groups=tuple(known[canonicalize_name(name)] for name in names))

    @property
    def algorithms(self) -> set[str]:
        """The algorithms of all its hashes, lower case."""
        packages = self.pylock.packages
        entries = [entry for package in packages for entry in (package.archive, package.sdist, *(package.wheels or ()))]
        return {algorithm.lower() for entry in entries if entry is not None for algorithm in entry.hashes}

    def elsewhere(self, files: Iterable[Listed]) -> dict[str, list[str]]:
        """Return, by host, the names of files that are on another host than the source that lists them."""
        places = {
            file.filename: file.url
            for package in self.pylock.packages
            for file in self._files(package)
            if not isinstance(file, UnreadableFile)
        }
        found: dict[str, list[str]] = {}
        for file in files:
            host = urlsplit(shown(places.get(file.filename, file.url))).netloc
            if host and host != urlsplit(shown(file.url)).netloc:
                found.setdefault(host, []).append(file.filename)
        return found

    def exclusions(self, target: Target, *, any_python: bool = False) -> Iterator[NotForTarget]:
        """Yield why it excludes a target. Raises `UsageError` for a marker that cannot be evaluated."""
        judge = Judge(target, any_python=any_python)
        nobody = NormalizedName("")
        environments = self.pylock.environments or ()
        if environments and not any(self._holds(marker, target, "environments") for marker in environments):
            admitted = tuple(map(str, environments))
            yield NotForTarget(project=nobody, place=f"{self.file} environments", admitted=admitted)
        stated = [(self.pylock.requires_python, nobody, "requires-python")]
        for _, package in self._applying(target):
            stated.append((package.requires_python, package.name, f"{PACKAGES} {package.name} requires-python"))
        for specifier, project, table in stated:
            if specifier and not judge.accepts_python(str(specifier)):
                yield NotForTarget(project=project, place=f"{self.file} {table}", admitted=(f"Python {specifier}",))

    def packages(self, target: Target) -> tuple[Locked, ...]:
        """Return the packages that apply to a target.

        Raises:
            UsageError: two entries of one package apply, or one is of an unsupported kind.
        """
        found: dict[NormalizedName, int] = {}
        judge = Judge(target)
        for number, package in self._applying(target):
            first = found.setdefault(package.name, number)
            if first != number:
                raise UsageError(
                    f"{self.file} has two entries of {package.name} that both apply to {target.name} "
                    f"({PACKAGES} {first} and {number}), so it is ambiguous: make the lock anew."
                )
        return tuple(self._locked(package, judge) for _, package in self._applying(target))

    def _applying(self, target: Target) -> Iterator[tuple[int, Package]]:
        """Yield the packages whose markers hold, with their numbers, starting at 1."""
        for number, package in enumerate(self.pylock.packages, 1):
            if package.marker is None or self._holds(package.marker, target, f"{PACKAGES} {package.name}", locks=True):
                yield number, package

    def _holds(self, marker: Marker, target: Target, table: str, *, locks: bool = False) -> bool:
        environment: dict[str, Any] = {**target.environment}
        if locks:
            groups = frozenset((*(self.pylock.default_groups or ()), *self.groups))
            environment |= {"extras": frozenset(self.extras), "dependency_groups": groups}
        else:
            environment["extra"] = ""
        try:
            return marker.evaluate(environment, context="lock_file" if locks else "requirement")
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise UsageError(f"The marker {marker} ({self.file} {table}) cannot be evaluated: {error}.") from None

    def _locked(self, package: Package, judge: Judge) -> Locked:
        table = f"{PACKAGES} {package.name}"
        direct = package.archive or package.directory or package.vcs
        if direct is not None:
            hashes = _digests([package.archive.hashes] if package.archive else [])
            return Locked(requirement=self._direct(package, table), table=table, hashes=hashes)
        files = self._files(package)
        wheels = [file for file in files if isinstance(file, Wheel)]
        ranked = [(rank, wheel) for wheel in wheels if (rank := judge.rank(wheel.tags)) is not None]
        best = min(ranked, key=lambda both: both[0])[1] if ranked else None
        counting = (best,) if best else files
        hashes = _digests([file.hashes for file in counting if not isinstance(file, UnreadableFile)])
        version = f"=={package.version}" if package.version else ""
        requirement = requirement_of(f"{package.name}{version}")
        return Locked(requirement=requirement, table=table, files=counting, hashes=hashes)

    def _files(self, package: Package) -> tuple[Listed | UnreadableFile, ...]:
        entries: list[PackageWheel | PackageSdist] = [*(package.wheels or ())]
        entries += [package.sdist] if package.sdist else []
        return tuple(self._file(package.name, entry) for entry in entries)

    def _file(self, name: NormalizedName, entry: PackageWheel | PackageSdist) -> Listed | UnreadableFile:
        uploaded = entry.upload_time.isoformat() if entry.upload_time else None
        url, hashes = self._url(entry.path, entry.url), _lowered(entry.hashes)
        return read_file(entry.filename, name, url=url, hashes=hashes, size=entry.size, upload_time=uploaded)

    def _direct(self, package: Package, table: str) -> Requirement:
        """Return the requirement for a package that is not from an index: an archive, a directory, a repository."""
        from packaging.requirements import InvalidRequirement, Requirement

        source = package.archive or package.directory or package.vcs
        assert source is not None
        if source.subdirectory:
            raise UsageError(f"{self.file} {table} is a directory within another place, which is not read here.")
        url = self._url(source.path, getattr(source, "url", None))
        try:
            return Requirement(f"{package.name} @ {f'{package.vcs.type}+{url}' if package.vcs else url}")
        except InvalidRequirement:
            raise UsageError(f"{self.file} {table} has no URL that can be read: make the lock anew.") from None

    def _url(self, path: str | None, url: str | None) -> str:
        """Return a location; a path precedes a URL, and is relative to the directory of the lock file."""
        if path is None:
            return url or ""
        if re.match(r"[A-Za-z]:[\\/]", path):
            return f"file:///{quote(path.replace(chr(92), '/'), safe='/:')}"
        return urljoin(self.base, quote(path))


def _digests(stated: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    found = (f"{algorithm}:{digest}" for hashes in stated for algorithm, digest in _lowered(hashes).items())
    return tuple(dict.fromkeys(found))


def _lowered(hashes: Mapping[str, str]) -> dict[str, str]:
    return {algorithm.lower(): digest.lower() for algorithm, digest in hashes.items()}


# -- reading


def _document(body: bytes, file: str) -> dict[str, Any]:
    try:
        return document_of(body, file)
    except MetadataError as error:
        raise UsageError(f"{error}, so it is no lock file.") from None


def _validated(document: dict[str, Any], file: str) -> Pylock:
    from packaging.pylock import Pylock, PylockValidationError

    try:
        return Pylock.from_dict(document)
    except PylockValidationError as error:
        where = f" ({_place(error.context, document)})" if error.context else ""
        why = " ".join(error.message.split()).rstrip(".")
        raise UsageError(f"{file} is no valid lock file: {why}{where}. Make the lock anew.") from None
    except (ValueError, TypeError, LookupError, RecursionError):
        raise UsageError(
            f"{file} is no valid lock file: it is not of the form that PEP 751 defines. Make the lock anew."
        ) from None


def _place(context: str, document: dict[str, Any]) -> str:
    """Return a position in the file, with the name of the package beside its number."""
    found = re.match(r"packages\[(\d+)\]", context)
    if not found:
        return context
    packages = document.get("packages")
    entry = packages[int(found[1])] if isinstance(packages, list) else None
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"{context}, {name}" if isinstance(name, str) else context


# -- what the sources say of it


class LockedIndex:
    """A view of an index that has only the files of a lock file.

    Args:
        packages: those that apply to the target.
        index: the index itself.
    """

    def __init__(self, packages: Collection[Locked], index: PackageIndex) -> None:
        self._packages = {package.name: package for package in packages}
        self._supply = index
        self._absent: dict[Listed, NotListed] = {}

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Begin to fetch a page; `then` gets the restricted one."""
        if name in self._packages and self._is_of_an_index(name):
            tell = None if then is None else lambda page: then(self._page(name, page))
            self._supply.start_page(name, tell)

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """Return the files that the lock file has of a project, as the index lists them; None for other projects."""
        if name not in self._packages:
            return None
        return self._page(name, self._supply.page(name) if self._is_of_an_index(name) else None)

    def start_metadata(self, file: Listed, then: Callable[[object], None] | None = None) -> None:
        """Begin to fetch the metadata of a file, if the lock file has it."""
        if file not in self._absent:
            self._supply.start_metadata(file, then)

    def metadata(self, file: Listed) -> Metadata | BadMetadata | HashMismatch | DynamicMetadata | NotListed:
        """Return the metadata of a file, or that no source lists it."""
        return self._absent.get(file) or self._supply.metadata(file)

    def direct(self, url: str, name: NormalizedName, wanted: Collection[str] = ()) -> Listed | UnreadableFile:
        """Return a file by URL, as the index does."""
        return self._supply.direct(url, name, wanted)

    def _is_of_an_index(self, name: NormalizedName) -> bool:
        return any(not isinstance(file, UnreadableFile) and not _is_here(file) for file in self._packages[name].files)

    def _page(self, name: NormalizedName, page: ProjectPage | None) -> ProjectPage:
        known = [self._known(file, page) for file in self._packages[name].files]
        return ProjectPage(
            name=name,
            files=[file for file in known if not isinstance(file, UnreadableFile)],
            unreadable=[file for file in known if isinstance(file, UnreadableFile)],
            status=page.status if page else None,
            status_reason=page.status_reason if page else "",
            indexes=page.indexes if page else (),
        )

    def _known(self, file: Listed | UnreadableFile, page: ProjectPage | None) -> Listed | UnreadableFile:
        """Return a file as a source lists it, the later of equal ones, or as an unlisted one."""
        if isinstance(file, UnreadableFile):
            return file
        if _is_here(file):
            return self._there(file)
        listed = page.versions.get(file.version, ()) if page else ()
        same = [other for other in listed if other.filename == file.filename]
        if not same:
            self._absent[file] = NotListed(url=shown(file.url))
            return file
        # surest where a hash is the same, then where the URL is
        known = file.hashes.items()
        found = max(reversed(same), key=lambda other: (bool(other.hashes.items() & known), other.url == file.url))
        if not _is_beside(file, found):
            return found
        there = self._there(file)
        return there if isinstance(there, UnreadableFile) else replace(found, url=there.url, hashes=there.hashes)

    def _there(self, file: Listed) -> Listed | UnreadableFile:
        """Return a file at its location in the lock file. Raises `UndeterminedError` where it is not there."""
        wanted = [f"{algorithm}:{digest}" for algorithm, digest in file.hashes.items()]
        try:
            return self._supply.direct(file.url, file.name, wanted)
        except Unreadable as error:
            raise Unreadable(file.filename, f"the lock has it at {shown(file.url)}, and {error.why}") from None


def _is_beside(file: Listed, other: Listed) -> bool:
    """Return whether a file must be looked for at its own location, on the same host as the listed one.

    Hosts that no source names are not contacted.
    """
    mine, listed = (urlsplit(unquote(shown(each.url))) for each in (file, other))
    return other.path is None and mine.netloc == listed.netloc and mine.path != listed.path


def _is_here(file: Listed) -> bool:
    return path_of_url(file.url) is not None


def of_lock(outcome: Outcome, lock: Lock, question: Question) -> Outcome:
    """Adapt an outcome to the lock file: what is missing is missing there, and it pins every version."""
    if isinstance(outcome, Missing):
        return NotLocked(project=outcome.project, place=lock.file, demands=outcome.demands)
    if isinstance(outcome, NoMatchingVersion) and outcome.newest is not None:
        pinned = [demand for demand in question.demands if demand.name == outcome.project]
        demands = dict.fromkeys((*outcome.demands, *pinned))
        return Conflict(project=outcome.project, demands=tuple(demands), files=outcome.files)
    return outcome
