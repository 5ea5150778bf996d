"""Compare a curated rule with the index, and decide whether it is stale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from wheelcheck.common.records import Plain, Variant, fields_of, plain, record
from wheelcheck.rules.model import Effect, Rule, named
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.markers import UndecidableMarker, applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.version import Version

    from wheelcheck.targets.target import Target

Published: TypeAlias = "Callable[[NormalizedName], Sequence[Version]]"
"""Return the versions of a project that an index lists."""


class _Finding(Variant):
    """Why a rule is stale, or (`is_stale` is False) why that is unknown."""

    __slots__ = ()

    is_stale = True

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `findings`."""
        about: dict[str, Plain] = {"kind": self.kind, "stale": self.is_stale}
        return about | fields_of(self)


@record
class NoVersion(_Finding):
    """The index lists none of the versions that the rule is about."""


@record
class AlreadyInMetadata(_Finding):
    """The metadata of these versions already says what the rule adds."""

    versions: tuple[Version, ...]


@record
class NoDifference(_Finding):
    """The answers to these questions, each for its target, are the same without the rule."""

    questions: tuple[str, ...]


@record
class NoFile(_Finding):
    """No listed file of these versions fits a usual target that the rule is about."""

    is_stale = False


@record
class NoAnswer(_Finding):
    """The rule's versions cannot be installed on a target that it is about, with or without it."""

    is_stale = False
    questions: tuple[str, ...]


@record
class NotTold(_Finding):
    """An index could not be queried."""

    is_stale = False
    why: str


Finding: TypeAlias = "NoVersion | AlreadyInMetadata | NoDifference | NoFile | NoAnswer | NotTold"


@record
class Beside:
    """What the metadata of one file says about the projects that a rule names.

    Attributes:
        version, filename: the file.
        target: the name of the target that it was read for.
        requirements: the file's requirements on those projects; None where its metadata cannot be used.
    """

    version: Version
    filename: str
    target: str
    requirements: tuple[str, ...] | None

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `beside`."""
        return fields_of(self)


@record
class Difference:
    """An answer with a rule and without it.

    Attributes:
        question: what was asked, and for which target.
        before, after: the versions that differ, without the rule and with it; None where there is no answer.
    """

    question: str
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `difference`."""
        return fields_of(self)


@record
class Audit:
    """One rule compared with the index.

    Attributes:
        rule: the rule.
        covered: the listed versions that it is about, newest first.
        beside: what the newest and the oldest of them that fit a target say themselves.
        difference: what the rule changes, if anything.
        findings: why it is stale or unknown.
    """

    rule: Rule
    covered: tuple[Version, ...] = ()
    beside: tuple[Beside, ...] = ()
    difference: Difference | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def state(self) -> str:
        """``stale``, ``unknown``, or ``holds``."""
        if any(finding.is_stale for finding in self.findings):
            return "stale"
        return "unknown" if self.findings else "holds"

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `rules`."""
        return {
            "id": self.rule.id,
            "project": self.rule.project,
            "state": self.state,
            "covered": len(self.covered),
            "newest": str(self.covered[0]) if self.covered else None,
            "beside": plain(self.beside),
            "difference": plain(self.difference),
            "findings": plain(self.findings),
        }


def stated(rule: Rule, metadata: Metadata, target: Target) -> tuple[Requirement, ...]:
    """Return what metadata requires on a target of the projects that a rule names."""
    others = frozenset(map(named, rule.requirements))
    return tuple(r for r in metadata.requires_dist if canonicalize_name(r.name) in others and _holds(r, target))


def _holds(requirement: Requirement, target: Target) -> bool:
    try:
        return applies(requirement, target)
    except UndecidableMarker:
        return False


def is_in_metadata(rule: Rule, metadata: Metadata, target: Target, published: Published) -> bool:
    """Return whether metadata admits no published version that a rule excludes."""
    asked = stated(rule, metadata, target)
    return bool(rule.requirements) and all(
        _is_met(rule.effect, one, [r for r in asked if canonicalize_name(r.name) == named(one)], published(named(one)))
        for one in rule.requirements
    )


def _is_met(effect: Effect, wanted: Requirement, asked: Iterable[Requirement], versions: Iterable[Version]) -> bool:
    asked = tuple(asked)
    if effect is Effect.REQUIRES and not asked:
        return False
    left = (version for version in versions if all(one.specifier.contains(version, prereleases=True) for one in asked))
    return all(wanted.specifier.contains(version, prereleases=True) for version in left)


def but(pins: Mapping[str, str] | None, others: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Return the part of an answer that differs from another one; None where there is no answer."""
    if pins is None or others is None:
        return pins
    return {name: version for name, version in pins.items() if others.get(name) != version}
