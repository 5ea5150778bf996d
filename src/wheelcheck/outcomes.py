"""The nouns of an answer: what is asked and by whom, what is chosen, and what stands in the way where nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from wheelcheck.distributions import Listed
from wheelcheck.rules import Rule
from wheelcheck.values import Plain, Variant, fields_of, plain
from wheelcheck.verdicts import Incompatible, Reason, WrongPythonTag

# -- what is asked, and by whom


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Variant):
    """The user asked. `place` says where: a file with its line, or the command line."""

    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededBy(Variant):
    """The metadata of a chosen file asked."""

    name: NormalizedName
    version: Version
    filename: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint(Variant):
    """The user bound the project in case it is needed."""

    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedByRule(Variant):
    """A curated rule asked, on account of a chosen version."""

    rule: Rule
    name: NormalizedName
    version: Version


Origin: TypeAlias = "Asked | NeededBy | Constraint | AddedByRule"


@dataclass(frozen=True, slots=True, kw_only=True)
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

    def by_extra(self) -> Iterator[Demand]:
        """The demand on the project itself, and one for each of its extras."""
        yield self
        for extra in sorted(self.requirement.extras):
            yield Demand(
                requirement=self.requirement, origin=self.origin, hashes=self.hashes, _extra=canonicalize_name(extra)
            )


# -- what came of it


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A chosen file.

    Attributes:
        name, version: the project and its version.
        extras: the extras that were asked for, sorted.
        file: the file that would be installed.
        rank: the position of its tag among the target's.
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
            "url": self.file.url,
            "hashes": plain(self.file.hashes),
            "rank": self.rank,
            "needed_by": plain(self.needed_by),
            "rules": [rule.id for rule in self.rules],
            "requested": self.requested,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFile:
    """A file that was in question and why it was refused."""

    filename: str
    version: Version | None
    reasons: tuple[Reason, ...]

    @property
    def closeness(self) -> tuple[tuple[int, int], bool, Version, int]:
        """Sorts files: the larger, the nearer to being usable; of equals final releases, newer ones, nearer Pythons."""
        version = self.version or Version("0")
        distance = min((why.distance for why in self.reasons if isinstance(why, WrongPythonTag)), default=0)
        return Incompatible(reasons=self.reasons).closeness, not version.is_prerelease, version, -distance


class _Told(Variant):
    """What every conflict can say: the demands that meet in it, and the files that were in question, nearest first."""

    __slots__ = ()
    project: NormalizedName
    demands: tuple[Demand, ...]
    files: tuple[RefusedFile, ...]

    def to_dict(self) -> dict[str, Plain]:
        """The form under `conflict` in a report."""
        return fields_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(_Told):
    """No index has the project. `near` are known projects with a like name."""

    project: NormalizedName
    indexes: tuple[str, ...] = ()
    near: tuple[NormalizedName, ...] = ()
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMatchingVersion(_Told):
    """The project is there, no version of it is what was asked for. `newest` is the newest that is there, if any."""

    project: NormalizedName
    newest: Version | None
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCompatibleFile(_Told):
    """Versions match what was asked for, and every file of them is refused for the target."""

    project: NormalizedName
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict(_Told):
    """Demands that cannot be met together."""

    project: NormalizedName
    demands: tuple[Demand, ...] = ()
    files: tuple[RefusedFile, ...] = ()


NoAnswer: TypeAlias = "Missing | NoMatchingVersion | NoCompatibleFile | Conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Rules kept a project below `instead_of`, the newest version that all else in the answer would admit."""

    name: NormalizedName
    chosen: Version
    instead_of: Version
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """An answer: the pins in the order of their names, and where rules changed a choice."""

    pins: tuple[Pin, ...]
    held_back: tuple[HeldBack, ...] = ()


Outcome: TypeAlias = "Solution | NoAnswer"
