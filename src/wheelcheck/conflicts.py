"""Why there is no answer, read from the ledger of all that was said during a resolution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from packaging.version import Version

from wheelcheck.ledger import Cause, Ledger, Standing
from wheelcheck.names import NormalizedName, canonicalize_name
from wheelcheck.offers import Offers
from wheelcheck.outcomes import (
    AddedByRule,
    Asked,
    Conflict,
    Demand,
    Missing,
    NeededBy,
    NoAnswer,
    NoCompatibleFile,
    NoMatchingVersion,
    RefusedFile,
)
from wheelcheck.refusals import every_file
from wheelcheck.verdicts import unreadable_reason

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


def explain(ledger: Ledger, clashes: Sequence[Sequence[Cause]]) -> NoAnswer:
    """Why a question has no answer: the first clash, and those after it that bring in more of what was asked.

    The first clash is about what would be chosen if it could. Others are about what would be chosen then; they matter
    where the first one leaves something out without which there would be an answer.
    """
    told: list[NoAnswer] = []
    asked = {demand.asking for demand in ledger.question.demands}
    for clash in clashes:
        answer = _explain_clash(ledger, clash)
        new = {demand.asking for demand in answer.demands} & asked
        if not told or new:
            told.append(answer)
            asked -= new
        if not asked:
            break
    return told[0] if len(told) == 1 else _together(told)


def _together(told: Sequence[NoAnswer]) -> Conflict:
    """Several clashes as one."""
    demands = dict.fromkeys(demand for answer in told for demand in answer.demands)
    files = dict.fromkeys(file for answer in told[1:] for file in answer.files)
    return Conflict(project=told[-1].project, demands=tuple(demands), files=tuple(files))


def _explain_clash(ledger: Ledger, causes: Sequence[Cause]) -> NoAnswer:
    """The narrowest description of a clash that its causes bear: one project's own trouble where it has some.

    Causes may come from several versions of one project that failed one after another; the newest version speaks.
    """
    demands = tuple(_demands(ledger, _of_newest_parents(causes)))
    names = tuple(dict.fromkeys(demand.name for demand in demands))
    for name in names:
        told = _own_trouble(ledger, name, demands)
        if told is not None:
            return told
    files = tuple(refused for name in names for refused in refused_files(ledger, name, demands))
    return Conflict(project=names[0], demands=demands, files=files)


def _own_trouble(ledger: Ledger, name: NormalizedName, demands: tuple[Demand, ...]) -> NoAnswer | None:
    """What keeps a project out by itself: it is not there, or no version or no file of it is as demanded."""
    about = [demand for demand in demands if demand.name == name]
    chains = tuple(dict.fromkeys(link for demand in about for link in _chain(ledger, demand)))
    offers = ledger.offers(name)
    if offers is None:
        return Missing(project=name, demands=chains)
    specifier = ledger.specifier(name, about)
    if any(ledger.usable(name, version) for version in ledger.matching(name, specifier)):
        return None
    files = refused_files(ledger, name, about)
    if files:
        return NoCompatibleFile(project=name, demands=chains, files=files)
    stated = [demand for demand in about if not isinstance(demand.origin, AddedByRule)]
    if offers.page.versions and all(_meets_some(offers, demand.requirement.specifier) for demand in stated):
        return Conflict(project=name, demands=chains)
    return _none_listed(name, chains, offers)


def _none_listed(name: NormalizedName, demands: tuple[Demand, ...], offers: Offers) -> NoMatchingVersion:
    newest = next(iter(offers.page.versions), None)
    unreadable = tuple(
        RefusedFile(filename=file.filename, version=None, reasons=(unreadable_reason(file),))
        for file in offers.page.unreadable
    )
    return NoMatchingVersion(project=name, newest=newest, demands=demands, files=unreadable)


def _meets_some(offers: Offers, specifier: SpecifierSet) -> bool:
    return any(True for _ in specifier.filter(offers.page.versions, prereleases=True))


def refused_files(ledger: Ledger, name: NormalizedName, demands: Iterable[Demand]) -> tuple[RefusedFile, ...]:
    """The files of the versions that the demands on a project admit, each with why it is refused, the nearest first."""
    about = [demand for demand in demands if demand.name == name]
    found = [
        judged.refused(ledger.question.target)
        for judged in every_file(ledger, name, about)
        if not judged.verdict and judged.version is not None
    ]
    return tuple(sorted(found, key=lambda refused: refused.closeness, reverse=True))


# -- from causes to demands


def _of_newest_parents(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """The causes that can have stood together: of each project that asks, those of its newest version."""
    newest: dict[NormalizedName, Version] = {}
    for cause in causes:
        if cause.parent is not None:
            newest[cause.parent.name] = max(cause.parent.version, newest.get(cause.parent.name, cause.parent.version))
    return tuple(c for c in causes if c.parent is None or c.parent.version == newest[c.parent.name])


def _demands(ledger: Ledger, causes: Sequence[Cause]) -> tuple[Demand, ...]:
    """The demands that meet in the causes, each followed by the chain that leads to what was asked."""
    found: dict[Demand, None] = {}
    standings = [cause.ask for cause in causes if isinstance(cause.ask, Standing)]
    for cause in causes:
        if isinstance(cause.ask, Demand):
            found |= dict.fromkeys(_chain(ledger, cause.ask))
        elif cause.parent is not None:
            found |= dict.fromkeys(_chain_to(ledger, cause.parent.name, cause.parent.version))
    found |= dict.fromkeys(_exclusions(ledger, standings))
    for name in dict.fromkeys(demand.name for demand in found):
        found |= dict.fromkeys(ledger.constraints_on(name))
    return tuple(found)


def _exclusions(ledger: Ledger, standings: Sequence[Standing]) -> Iterator[Demand]:
    """What rules demand of each of the versions that stand together, because of another one of them."""
    for one in standings:
        others = {other.name: other.version for other in standings if other.name != one.name}
        for rule, requirement in ledger.question.rules.constraining(one.name, one.version, ledger.question.target):
            version = others.get(canonicalize_name(requirement.name))
            if version is not None and not requirement.specifier.contains(version, prereleases=True):
                yield Demand(requirement=requirement, origin=AddedByRule(rule=rule, name=one.name, version=one.version))


def _chain(ledger: Ledger, demand: Demand) -> Iterator[Demand]:
    """A demand and those above it, up to the user's own."""
    seen: set[Demand] = set()
    above: Demand | None = demand
    while above is not None and above not in seen:
        yield above
        seen.add(above)
        origin = above.origin
        above = _asking(ledger, origin.name, origin.version) if isinstance(origin, NeededBy | AddedByRule) else None


def _chain_to(ledger: Ledger, name: NormalizedName, version: Version) -> Iterator[Demand]:
    first = _asking(ledger, name, version)
    return _chain(ledger, first) if first is not None else iter(())


def _asking(ledger: Ledger, name: NormalizedName, version: Version) -> Demand | None:
    """Who asked for a version: the user before others."""
    demands = ledger.demands_on(name)
    asking = (demand for demand in demands if demand.requirement.specifier.contains(version, prereleases=True))
    return min(asking, key=lambda demand: not isinstance(demand.origin, Asked), default=None)
