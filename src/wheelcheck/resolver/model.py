"""The nouns of an answer: what is asked and by whom, what is chosen, and what stands in the way where nothing is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
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
    """The user asked. `place` says where: a file with its line, or the command line."""

    place: str


@record
class NeededBy(Variant):
    """The metadata of a chosen file asked."""

    name: NormalizedName
    version: Version
    filename: str


@record
class Constraint(Variant):
    """The user bound the project in case it is needed."""

    place: str


@record
class AddedByRule(Variant):
    """A curated rule asked, on account of a chosen version."""

    rule: Rule
    name: NormalizedName
    version: Version


Origin: TypeAlias = "Asked | NeededBy | Constraint | AddedByRule"


@record
class Demand:
    """A requirement and who made it.

    Attributes:
        requirement: as written.
        origin: who asks.
        hashes: digests (``sha256:...``) of which the file must bear one; empty for any.
    """

    requirement: Requirement
    origin: Origin
    hashes: tuple[str, ...] = ()
    _extra: NormalizedName | None = None

    @property
    def name(self) -> NormalizedName:
        """The project asked for, normalised."""
        return canonicalize_name(self.requirement.name)

    @property
    def key(self) -> str:
        """What resolvelib knows it by: the project, with the one extra that this demand is about."""
        return f"{self.name}[{self._extra}]" if self._extra else self.name

    @property
    def asking(self) -> tuple[Requirement, Origin]:
        """What is asked and by whom, whichever of its extras this demand is about."""
        return self.requirement, self.origin

    @property
    def shown(self) -> str:
        """The requirement as it may be printed: credentials in its URL are masked."""
        return mask(str(self.requirement))

    def to_dict(self) -> dict[str, Plain]:
        """The form under `demands` in a report."""
        return {"requirement": self.shown, "origin": plain(self.origin), "hashes": plain(self.hashes)}

    def by_extra(self) -> Iterator[Demand]:
        """The demand on the project itself, and one for each of its extras."""
        yield self
        for extra in sorted(self.requirement.extras):
            yield Demand(
                requirement=self.requirement, origin=self.origin, hashes=self.hashes, _extra=canonicalize_name(extra)
            )


@record
class Policy:
    """How to choose, beyond what is demanded, in pip's terms.

    Attributes:
        pre: whether pre-releases are wanted everywhere.
        all_releases, only_final: projects, or ``:all:``, of which pre-releases are wanted, or never taken.
        no_binary, only_binary: projects, or ``:all:``, of which wheels are never taken, or source distributions.
        prefer_binary: whether an older version with a wheel is better than a newer one without.
        allow_sdists: whether source distributions count, where a version has no usable wheel.
        exclude_newer: the instant before which a file must have been uploaded, or None.
        undated: whether a file counts beside `exclude_newer` whose index does not say when it was uploaded.
        require_hashes: whether a file is taken only if its digest was given.
        no_deps: whether requirements of files are left aside.
        ignore_requires_python: whether files count whose Requires-Python excludes the target.
        resolution: ``highest``, ``lowest``, or ``lowest-direct``: the lowest of what the user asked for only.
    """

    pre: bool = False
    all_releases: frozenset[str] = frozenset()
    only_final: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()
    prefer_binary: bool = False
    allow_sdists: bool = False
    exclude_newer: datetime | None = None
    undated: bool = False
    require_hashes: bool = False
    no_deps: bool = False
    ignore_requires_python: bool = False
    resolution: str = "highest"

    def prereleases(self, name: NormalizedName) -> bool | None:
        """Whether pre-releases of a project count: always, never, or (None) as PEP 440 has it."""
        if name in self.only_final:
            return False
        if self.pre or {name, ":all:"} & self.all_releases:
            return True
        return False if ":all:" in self.only_final else None

    def wheels(self, name: NormalizedName) -> bool:
        """Whether wheels of a project count."""
        return self._selection(name) != "no_binary"

    def sdists(self, name: NormalizedName) -> bool:
        """Whether source distributions of a project count."""
        return self.allow_sdists and self._selection(name) != "only_binary"

    def _selection(self, name: NormalizedName) -> str | None:
        """Which of pip's options speaks of a project: by its name before ``:all:``."""
        for key in (name, ":all:"):
            if key in self.only_binary:
                return "only_binary"
            if key in self.no_binary:
                return "no_binary"
        return None


@record
class Question:
    """What is asked for one target: demands of the user, constraints, rules and policy.

    `refused` is the answer where an input excludes the target by itself, so that nothing need be looked at.
    """

    target: Target
    demands: tuple[Demand, ...]
    constraints: tuple[Demand, ...] = ()
    rules: Rules = NO_RULES
    policy: Policy = field(default_factory=Policy)
    refused: NotForTarget | None = None


# -- what came of it


@record
class Candidate:
    """A version of a project with the file that would be installed; `extra` where it stands for one extra of it."""

    name: NormalizedName
    version: Version
    file: Listed
    rank: int
    extra: NormalizedName | None = None

    @property
    def key(self) -> str:
        """What resolvelib knows it by."""
        return f"{self.name}[{self.extra}]" if self.extra else self.name


@record
class Pin:
    """A chosen file.

    Attributes:
        name, version: the project and its version.
        extras: the extras that were asked for, sorted.
        file: the file that would be installed.
        rank: the position of its tag among the target's; the number of all of them for a source distribution, which
            comes behind every wheel.
        demands: everything that was asked of the project by what is in the answer.
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
    def needed_by(self) -> tuple[NormalizedName, ...]:
        """The projects in the answer that need this one; empty where only the user asked."""
        names = {demand.origin.name for demand in self.demands if isinstance(demand.origin, NeededBy | AddedByRule)}
        return tuple(sorted(names))

    @property
    def requested(self) -> bool:
        """Whether the user asked for the project."""
        return any(isinstance(demand.origin, Asked) for demand in self.demands)

    def to_dict(self) -> dict[str, Plain]:
        """The form under `pins` in a report."""
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
    """A file that was in question, and why it was refused; no reason where only another demand leaves it out.

    `fits` are the axes on which it fits (see `distances`).
    """

    filename: str
    version: Version | None
    reasons: tuple[Reason, ...]
    fits: tuple[str, ...] = ()

    @property
    def likeness(self) -> tuple[object, ...]:
        """What the files have in common that are told together: version, kinds of reasons, and how far their system is.

        Files that only their metadata refuses are alike whatever their versions are.
        """
        kinds = tuple(map(type, self.reasons))
        if kinds == (BadMetadata,):
            return kinds
        return self.version, kinds, *(why.distance for why in self.reasons if isinstance(why, WrongPlatformTag))

    @property
    def closeness(self) -> tuple[bool, tuple[int, int], bool, tuple[int, ...], Version]:
        """Sorts files: the larger, the nearer to being usable; of equals final releases, nearer targets, newer ones.

        A source distribution would come near only because it is for no system at all. So it comes last, unless nothing
        else speaks against it, and so does a pre-release that was withdrawn.
        """
        version = self.version or Version("0")
        kinds = tuple(map(type, self.reasons))
        is_far = (SourceOnly in kinds and len(kinds) > 1) or (Yanked in kinds and version.is_prerelease)
        nearness = Incompatible(reasons=self.reasons).closeness
        distances = tuple(-why.distance for why in self.reasons if isinstance(why, MEASURED))
        return not is_far, nearness, not version.is_prerelease, distances, version


class _Told(Variant):
    """What every conflict can say: the demands that meet in it, and the files that were in question, nearest first."""

    __slots__ = ()
    project: NormalizedName
    demands: tuple[Demand, ...]
    files: tuple[RefusedFile, ...]

    def to_dict(self) -> dict[str, Plain]:
        """The form under `conflict` in a report."""
        return fields_of(self)


@record
class Missing(_Told):
    """No index has the project. `near` are known projects with a like name; `also` are others that were asked for."""

    project: NormalizedName
    indexes: tuple[str, ...] = ()
    near: tuple[NormalizedName, ...] = ()
    also: tuple[Missing, ...] = ()
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NoMatchingVersion(_Told):
    """The project is there, no version of it is what was asked for. `newest` is the newest that is there, if any."""

    project: NormalizedName
    newest: Version | None
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NoCompatibleFile(_Told):
    """Versions match what was asked for, and every file of them is refused for the target."""

    project: NormalizedName
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class Conflict(_Told):
    """Demands that cannot be met together."""

    project: NormalizedName
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NotForTarget(_Told):
    """An input says itself which targets it is for, and this one is none of them.

    Attributes:
        project: the project that it is about, or nothing where it is about several.
        place: where it says so.
        admitted: what it admits: a specifier of Pythons, or markers of which one must hold.
    """

    project: NormalizedName
    place: str
    admitted: tuple[str, ...]
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@record
class NotLocked(_Told):
    """A lock file has something that needs the project, and does not have the project for the target."""

    project: NormalizedName
    place: str
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


NoAnswer: TypeAlias = "Missing | NoMatchingVersion | NoCompatibleFile | Conflict | NotForTarget | NotLocked"


@record
class HeldBack:
    """Rules kept a project below `instead_of`, the newest version that all else in the answer would admit."""

    name: NormalizedName
    chosen: Version
    instead_of: Version
    rules: tuple[Rule, ...]


@record
class Outdated:
    """The newest final release that all who ask for a project would take has no file for the target.

    Attributes:
        name, chosen: the project, and the version that was chosen instead.
        fitting: the newest release that has a file for the target; newer than the chosen version where something else
            in the answer leaves it out.
        newest: the newest final release; it may be older than a pre-release that was chosen.
        newer: how many final releases newer than the fitting one have no file for the target.
        months: whole months from the upload of the fitting file to that of the newest release; None where the index
            does not say.
        of: the project of which no file fits: this one, or one that the newest release needs.
        nearest: the files of it that came nearest, all refused for the same kinds of reasons.
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
        pins: in the order of their names.
        held_back: where rules changed a choice.
        outdated: the projects whose newest final release has no file for the target, or needs what has none.
        unknown_markers: requirements whose marker reads what nobody knows of the target, such as its kernel's release.
        assumed_markers: requirements that another micro version of Python, where that was assumed, would decide
            otherwise.
    """

    pins: tuple[Pin, ...]
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
