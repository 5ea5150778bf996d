"""The question and its answer: demands and their origins, pins, and the kinds of conflict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from packaging.version import Version

from wheelcheck.common.records import Plain, Variant, field, fields_of, plain, record
from wheelcheck.common.urls import mask
from wheelcheck.resolver.compatibility import MEASURED, Incompatible, Reason, SourceOnly, WrongPlatformTag, Yanked
from wheelcheck.rules.model import NO_RULES, Rule, Rules
from wheelcheck.standards.file_problems import BadMetadata
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from datetime import datetime

    from packaging.requirements import Requirement

    from wheelcheck.standards.file_problems import NotListed
    from wheelcheck.standards.project_page import ProjectPage, UnreadableFile
    from wheelcheck.standards.source_metadata import MetadataResult

# -- what is asked, and by whom


@record
class Asked(Variant):
    """The user requested it; `place` says where: a file with its line, or the command line."""

    place: str


@record
class NeededBy(Variant):
    """The metadata of a chosen file requires it."""

    name: NormalizedName
    version: Version
    filename: str


@record
class Constraint(Variant):
    """A constraint on the project, which applies if the project is needed."""

    place: str


@record
class AddedByRule(Variant):
    """A curated rule requires it, because of a chosen version."""

    rule: Rule
    name: NormalizedName
    version: Version


@record
class Installed(Variant):
    """The metadata of an installed distribution that stays requires it."""

    name: NormalizedName
    version: Version


Origin: TypeAlias = "Asked | NeededBy | Constraint | AddedByRule | Installed"
BY_A_VERSION = (NeededBy, AddedByRule, Installed)
"""The origins with a project and a version, because of which something is required."""


@record
class Demand:
    """A requirement with its origin.

    Attributes:
        requirement: as written.
        origin: who makes it.
        hashes: hashes (``sha256:...``) of which the file must have one; empty for any.
    """

    requirement: Requirement
    origin: Origin
    hashes: tuple[str, ...] = ()
    _extra: NormalizedName | None = None

    @property
    def name(self) -> NormalizedName:
        """The required project, normalized."""
        return canonicalize_name(self.requirement.name)

    @property
    def key(self) -> str:
        """Its identifier for resolvelib: the project, with the one extra that this demand is about."""
        return f"{self.name}[{self._extra}]" if self._extra else self.name

    @property
    def asking(self) -> tuple[Requirement, Origin, tuple[str, ...]]:
        """The requirement, its origin and its hashes, whichever of its extras this demand is about."""
        return self.requirement, self.origin, self.hashes

    @property
    def shown(self) -> str:
        """The requirement for reports, with credentials in its URL masked."""
        return mask(str(self.requirement))

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `demands` in a report."""
        return {"requirement": self.shown, "origin": plain(self.origin), "hashes": plain(self.hashes)}

    def by_extra(self) -> Iterator[Demand]:
        """Return the demand on the project itself, and one for each of its extras."""
        yield self
        for extra in sorted(self.requirement.extras):
            yield Demand(
                requirement=self.requirement, origin=self.origin, hashes=self.hashes, _extra=canonicalize_name(extra)
            )


@record
class Policy:
    """How to choose among what the demands admit, in pip's terms.

    Attributes:
        pre: whether pre-releases are accepted everywhere.
        all_releases, only_final: projects, or ``:all:``, whose pre-releases are always, or never, accepted.
        no_binary, only_binary: projects, or ``:all:``, whose wheels, or sdists, are never accepted.
        prefer_binary: whether an older version with a wheel beats a newer one without.
        allow_sdists: whether source distributions are accepted where a version has no usable wheel.
        exclude_newer: the instant before which a file must have been uploaded, or None.
        allow_no_upload_time: with `exclude_newer`, whether files without an upload time are accepted.
        require_hashes: whether a file is accepted only if its hash was given.
        no_deps: whether dependencies are ignored.
        ignore_requires_python: whether Requires-Python is ignored.
        resolution: ``highest``, ``lowest``, or ``lowest-direct``: the lowest of the requested projects only.
    """

    pre: bool = False
    all_releases: frozenset[str] = frozenset()
    only_final: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()
    prefer_binary: bool = False
    allow_sdists: bool = False
    exclude_newer: datetime | None = None
    allow_no_upload_time: bool = False
    require_hashes: bool = False
    no_deps: bool = False
    ignore_requires_python: bool = False
    resolution: str = "highest"

    def prereleases(self, name: NormalizedName) -> bool | None:
        """Return whether pre-releases of a project are accepted: always, never, or (None) as PEP 440 has it."""
        if name in self.only_final:
            return False
        if self.pre or {name, ":all:"} & self.all_releases:
            return True
        return False if ":all:" in self.only_final else None

    def wheels(self, name: NormalizedName) -> bool:
        """Return whether wheels of a project are accepted."""
        return self._selection(name) != "no_binary"

    def sdists(self, name: NormalizedName) -> bool:
        """Return whether source distributions of a project are accepted."""
        return self.allow_sdists and self._selection(name) != "only_binary"

    def _selection(self, name: NormalizedName) -> str | None:
        """Return which of pip's options applies to a project; its own name beats ``:all:``."""
        for key in (name, ":all:"):
            if key in self.only_binary:
                return "only_binary"
            if key in self.no_binary:
                return "no_binary"
        return None


@record
class Distribution:
    """An installed distribution, as far as it decides what pip does.

    Attributes:
        head: the fields of its core metadata that decide, as bytes; parsed where it comes into question.
        editable: whether it is an editable installation (PEP 660).
        location: the directory that holds it.
    """

    name: NormalizedName
    version: Version
    head: bytes = field(default=b"", repr=False)
    editable: bool = False
    location: str = ""


@record
class Environment:
    """What is installed where pip installs, and when pip keeps it.

    Attributes:
        distributions: by name.
        upgrade_strategy: pip's: ``eager``, ``only-if-needed`` (only requested projects are upgraded), or
            ``to-satisfy-only`` where no upgrade is requested.
    """

    distributions: Mapping[NormalizedName, Distribution] = field(default_factory=dict, hash=False)
    upgrade_strategy: str = "to-satisfy-only"

    def __bool__(self) -> bool:
        return bool(self.distributions)


@record
class Question:
    """What is asked for one target: the user's demands, constraints, rules and policy.

    Attributes:
        environment: what is installed and may stay; empty for a fresh environment.
        refused: the answer where an input excludes the target by itself, so that nothing has to be resolved.
    """

    target: Target
    demands: tuple[Demand, ...]
    constraints: tuple[Demand, ...] = ()
    rules: Rules = NO_RULES
    policy: Policy = field(default_factory=Policy)
    environment: Environment = field(default_factory=Environment)
    refused: NotForTarget | None = None


# -- what came of it


@record
class Candidate:
    """A version of a project with the file that would be installed; `extra` where it stands for one of its extras.

    For an installed distribution that would stay, `file` stands for what is installed.
    """

    name: NormalizedName
    version: Version
    file: Listed
    rank: int
    extra: NormalizedName | None = None
    installed: Distribution | None = None

    @property
    def key(self) -> str:
        """Its identifier for resolvelib."""
        return f"{self.name}[{self.extra}]" if self.extra else self.name


@record
class Pin:
    """A chosen file.

    Attributes:
        name, version: the project and its version.
        extras: the requested extras, sorted.
        file: the file that would be installed.
        rank: the position of its best tag among the target's; for a source distribution the number of tags, so that it
            sorts after every wheel.
        demands: all demands on the project in the answer.
        rules: the rules that changed this choice.
    """

    name: NormalizedName
    version: Version
    extras: tuple[NormalizedName, ...]
    file: Listed
    rank: int
    demands: tuple[Demand, ...]
    rules: tuple[Rule, ...] = ()

    @property
    def filename(self) -> str:
        """The name of its file."""
        return self.file.filename

    @property
    def url(self) -> str:
        """The URL of its file, with credentials masked."""
        return mask(self.file.url)

    @property
    def hashes(self) -> Mapping[str, str]:
        """The published hashes of its file, by algorithm."""
        return self.file.hashes

    @property
    def needed_by(self) -> tuple[NormalizedName, ...]:
        """The projects in the answer that require this one; empty where only the user does."""
        names = {demand.origin.name for demand in self.demands if isinstance(demand.origin, BY_A_VERSION)}
        return tuple(sorted(names))

    @property
    def requested(self) -> bool:
        """Whether the user requested the project."""
        return any(isinstance(demand.origin, Asked) for demand in self.demands)

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `pins` in a report."""
        return {
            "name": self.name,
            "version": str(self.version),
            "extras": plain(self.extras),
            "filename": self.file.filename,
            "url": mask(self.file.url),
            "hashes": plain(self.file.hashes),
            "rank": self.rank,
            "needed_by": plain(self.needed_by),
            "rules": [rule.id for rule in self.rules],
            "requested": self.requested,
        }


@record
class RefusedFile:
    """A file that was rejected, with the reasons; none where only another demand excludes it.

    Attributes:
        fits: the axes on which it matches (see `fits_of`).
    """

    filename: str
    version: Version | None
    reasons: tuple[Reason, ...]
    fits: tuple[str, ...] = ()

    @property
    def likeness(self) -> tuple[object, ...]:
        """A key for files that are reported together: version, kinds of reasons, and distance of their platform.

        Files that only their metadata excludes are alike whatever their versions.
        """
        kinds = tuple(map(type, self.reasons))
        if kinds == (BadMetadata,):
            return kinds
        return self.version, kinds, *(why.distance for why in self.reasons if isinstance(why, WrongPlatformTag))

    @property
    def closeness(self) -> tuple[bool, tuple[int, int], bool, tuple[int, ...], Version]:
        """A sort key: the larger, the closer; among equals final releases, closer targets, then newer versions.

        A source distribution would rank close only because it is built for no platform. So it comes last, unless
        nothing else rules it out, and so does a yanked pre-release.
        """
        version = self.version or Version("0")
        kinds = tuple(map(type, self.reasons))
        is_far = (SourceOnly in kinds and len(kinds) > 1) or (Yanked in kinds and version.is_prerelease)
        nearness = Incompatible(reasons=self.reasons).closeness
        distances = tuple(-why.distance for why in self.reasons if isinstance(why, MEASURED))
        return not is_far, nearness, not version.is_prerelease, distances, version


class _NoAnswer(Variant):
    """The common part of all conflicts: the demands that meet in it, and the files in question, closest first."""

    __slots__ = ()
    project: NormalizedName
    demands: tuple[Demand, ...]
    files: tuple[RefusedFile, ...]

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `conflict` in a report."""
        return fields_of(self)


@record
class Missing(_NoAnswer):
    """No index has the project. `near` are known projects with similar names, `also` other missing projects."""

    project: NormalizedName
    indexes: tuple[str, ...] = ()
    near: tuple[NormalizedName, ...] = ()
    also: tuple[Missing, ...] = ()
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NoMatchingVersion(_NoAnswer):
    """The project exists, but no version matches. `newest` is its newest version, if any."""

    project: NormalizedName
    newest: Version | None
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NoCompatibleFile(_NoAnswer):
    """Versions match, but every file of them is rejected for the target."""

    project: NormalizedName
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class Conflict(_NoAnswer):
    """Demands that cannot be met together."""

    project: NormalizedName
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NotForTarget(_NoAnswer):
    """An input names the targets that it is for, and this is none of them.

    Attributes:
        project: the project in question, or empty where there are several.
        place: where the input says so.
        admitted: what it admits: a specifier of Pythons, or markers of which one must hold.
    """

    project: NormalizedName
    place: str
    admitted: tuple[str, ...]
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NotLocked(_NoAnswer):
    """A lock file holds something that requires the project, but does not hold the project for the target."""

    project: NormalizedName
    place: str
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


NoAnswer: TypeAlias = "Missing | NoMatchingVersion | NoCompatibleFile | Conflict | NotForTarget | NotLocked"


@record
class HeldBack:
    """Rules kept a project below `instead_of`, the newest version that everything else in the answer admits."""

    name: NormalizedName
    chosen: Version
    instead_of: Version
    rules: tuple[Rule, ...]


@record
class Outdated:
    """The newest final release that all demands admit has no file for the target.

    Attributes:
        name, chosen: the project and its chosen version.
        fitting: the newest release with a file for the target; newer than the chosen version where something else in
            the answer excludes it.
        newest: the newest final release; it may be older than a chosen pre-release.
        newer: the number of final releases newer than `fitting` without a file for the target.
        months: whole months from the upload of the fitting file to that of the newest release; None where unknown.
        of: the project without a file: this one, or a dependency of the newest release.
        nearest: its closest files, all rejected for the same kinds of reasons.
    """

    name: NormalizedName
    chosen: Version
    fitting: Version
    newest: Version
    newer: int
    months: int | None
    of: NormalizedName
    nearest: tuple[RefusedFile, ...]


@record
class Solution:
    """An answer.

    Attributes:
        pins: sorted by name.
        satisfied: installed distributions that the answer keeps, sorted by name.
        held_back: where rules changed a choice.
        outdated: projects whose newest final release, or a dependency of it, has no file for the target.
        unknown_markers: requirements whose marker reads something unknown of the target, such as its kernel release.
        assumed_markers: requirements that another micro version of an assumed Python would decide differently.
    """

    pins: tuple[Pin, ...]
    satisfied: tuple[Distribution, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    outdated: tuple[Outdated, ...] = ()
    unknown_markers: tuple[Demand, ...] = ()
    assumed_markers: tuple[Demand, ...] = ()


Outcome: TypeAlias = "Solution | NoAnswer"


class PackageIndex(Protocol):
    """Where pages and metadata come from: indexes, a lock file, or a table in memory.

    Only `page`, `metadata` and `direct` give answers. The `start_*` methods announce what will probably be asked for
    next, so that it can be fetched meanwhile; an implementation may ignore them, and no answer depends on them.
    """

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Begin to fetch a page; `then` is called with it in a worker."""

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """Return the page of a project, or None where no index has the project.

        Raises:
            UndeterminedError: an index could not be asked, or its answer is not a project page.
        """

    def start_metadata(self, file: Listed, then: Callable[[object], None] | None = None) -> None:
        """Begin to read the metadata of a file; `then` is called with the result, perhaps in a worker."""

    def metadata(self, file: Listed) -> MetadataResult | NotListed:
        """Return the metadata of a file, the reason to reject the file, or that only a build could tell.

        Raises:
            UndeterminedError: the metadata is out of reach.
        """

    def direct(self, url: str, name: NormalizedName, wanted: Collection[str] = ()) -> Listed | UnreadableFile:
        """Return the file that the user names for a project by URL, with its hashes where some are `wanted` of it."""
