"""What an index says beside a curated rule, and whether the rule is still worth its place in the table."""

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
"""Gives the versions of a project that an index lists."""


class _Finding(Variant):
    """Why a rule is stale, or why that could not be told (`is_stale`)."""

    __slots__ = ()

    is_stale = True

    def to_dict(self) -> dict[str, Plain]:
        """The form under `findings`."""
        about: dict[str, Plain] = {"kind": self.kind, "stale": self.is_stale}
        return about | fields_of(self)


@record
class NoVersion(_Finding):
    """The index lists none of the versions that the rule is about."""


@record
class AlreadySaid(_Finding):
    """The metadata of each of these versions says by itself what the rule adds."""

    versions: tuple[Version, ...]


@record
class NoDifference(_Finding):
    """The answers to these questions are the same without the rule, each for its target."""

    questions: tuple[str, ...]


@record
class NoFile(_Finding):
    """No file of the versions that are listed fits a usual target that the rule is about."""

    is_stale = False


@record
class NoAnswer(_Finding):
    """The rule's versions cannot be installed on a target that it is about, neither with it nor without."""

    is_stale = False
    questions: tuple[str, ...]


@record
class NotTold(_Finding):
    """An index did not answer."""

    is_stale = False
    why: str


Finding: TypeAlias = "NoVersion | AlreadySaid | NoDifference | NoFile | NoAnswer | NotTold"


@record
class Beside:
    """What the metadata of one file says of the projects that a rule names.

    Attributes:
        version, filename: the file.
        target: the target that it was looked at for, as its text.
        requirements: what the file states of those projects; empty where it says nothing of them, and None where its
            metadata cannot be used.
    """

    version: Version
    filename: str
    target: str
    requirements: tuple[str, ...] | None

    def to_dict(self) -> dict[str, Plain]:
        """The form under `beside`."""
        return fields_of(self)


@record
class Difference:
    """What an answer is with a rule, and what it would be without.

    Attributes:
        question: what was asked, and for which target.
        before, after: the versions of the projects in which the two differ, without the rule and with it; None where
            there is no answer.
    """

    question: str
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None

    def to_dict(self) -> dict[str, Plain]:
        """The form under `difference`."""
        return fields_of(self)


@record
class Audit:
    """One rule beside the index.

    Attributes:
        rule: which.
        covered: the versions on the index that it is about, newest first.
        beside: what the newest and the oldest of them that fit a target say themselves.
        difference: what the rule changes, if it does.
        findings: what speaks against it, or why nothing could be told.
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
        """The form under `rules`."""
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
    """What metadata itself asks on a target of the projects that a rule names."""
    others = frozenset(map(named, rule.requirements))
    return tuple(r for r in metadata.requires_dist if canonicalize_name(r.name) in others and _holds(r, target))


def _holds(requirement: Requirement, target: Target) -> bool:
    try:
        return applies(requirement, target)
    except UndecidableMarker:
        return False


def is_said(rule: Rule, metadata: Metadata, target: Target, published: Published) -> bool:
    """Whether metadata admits nothing that a rule refuses, as far as versions are published."""
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
    """What of an answer is not in another one; all of it where that is none, and None where it is none itself."""
    if pins is None or others is None:
        return pins
    return {name: version for name, version in pins.items() if others.get(name) != version}
