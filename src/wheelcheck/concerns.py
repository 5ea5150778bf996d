"""What is wrong with an answer that works, each concern a value with a level: ``warning`` or ``note``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, TypeAlias

from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from wheelcheck import confirmation
from wheelcheck.outcomes import Asked, NeededBy, Pin, Policy, Solution
from wheelcheck.rules import Rule
from wheelcheck.values import Plain, Variant, fields_of, plain, record


class _Concern(Variant):
    """A concern leaves an answer compatible; under ``--strict`` a warning does not."""

    __slots__ = ()
    level: ClassVar[str]

    def to_dict(self) -> dict[str, Plain]:
        """The form under `concerns` in a report."""
        return {"kind": self.kind, "level": self.level} | fields_of(self)


@record
class PreRelease(_Concern):
    """A pre-release was chosen without being asked for: no final release fits."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version


@record
class Yanked(_Concern):
    """The chosen file was withdrawn by its publisher and taken because it was pinned."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    why: str


@record
class HeldBack(_Concern):
    """Curated rules kept a project below `instead_of`, which metadata alone would admit beside the rest."""

    level: ClassVar[str] = "note"
    project: NormalizedName
    version: Version
    instead_of: Version
    rules: tuple[Rule, ...]

    def to_dict(self) -> dict[str, Plain]:
        """The form under `concerns` in a report; the rules stand in full under `rules` there."""
        return {
            "kind": self.kind,
            "level": self.level,
            "project": self.project,
            "version": str(self.version),
            "instead_of": str(self.instead_of),
            "rules": plain([rule.id for rule in self.rules]),
        }


@record
class MarkerUnknown(_Concern):
    """A requirement of a chosen file hangs on what nobody knows of the target; it was decided as if that were empty."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    requirement: Requirement


@record
class InstalledDiffers(_Concern):
    """What was imported is not what the answer pins. `installed` is None where the project is not there."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    installed: str | None


@record
class NotTried(_Concern):
    """An import was asked for and not tried. `project` is None where none was, on account of the target."""

    level: ClassVar[str] = "warning"
    project: str | None
    why: confirmation.NotTried


Concern: TypeAlias = "PreRelease | Yanked | HeldBack | MarkerUnknown | InstalledDiffers | NotTried"


def concerns_of(solution: Solution, policy: Policy) -> tuple[Concern, ...]:
    """The concerns that an answer bears by itself."""
    return tuple(_concerns(solution, policy))


def _concerns(solution: Solution, policy: Policy) -> Iterator[Concern]:
    for pin in solution.pins:
        wanted = policy.prereleases(pin.name) or _asked_for_pre_release(pin)
        if pin.version.is_prerelease and not wanted:
            yield PreRelease(project=pin.name, version=pin.version)
        if pin.file.yanked is not None:
            yield Yanked(project=pin.name, version=pin.version, why=pin.file.yanked)
    for held in solution.held_back:
        yield HeldBack(project=held.name, version=held.chosen, instead_of=held.instead_of, rules=held.rules)
    for demand in solution.unknown_markers:
        assert isinstance(demand.origin, NeededBy)
        about = demand.origin
        yield MarkerUnknown(project=about.name, version=about.version, requirement=demand.requirement)


def _asked_for_pre_release(pin: Pin) -> bool:
    asked = (demand for demand in pin.demands if isinstance(demand.origin, Asked))
    return any(demand.requirement.specifier.prereleases or demand.requirement.url for demand in asked)
