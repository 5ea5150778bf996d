"""Why there is no answer: the ledger of all that was said during a resolution, and the explanation read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from wheelcheck.distributions import Listed
from wheelcheck.offers import Offers, combined
from wheelcheck.outcomes import (
    AddedByRule,
    Asked,
    Candidate,
    Conflict,
    Demand,
    Missing,
    NeededBy,
    NoAnswer,
    NoCompatibleFile,
    NoMatchingVersion,
    Question,
    RefusedFile,
)
from wheelcheck.rules import Rule
from wheelcheck.values import record
from wheelcheck.verdicts import PreReleaseNotWanted, Reason, Yanked, unreadable_reason


@record
class Standing:
    """What a candidate tells a project that rules bind it to: I am in the answer, with this version."""

    key: str
    name: NormalizedName
    version: Version


@record
class Cause:
    """One side of a clash: what was asked, if it is something to show, and the candidate that asked it."""

    ask: Demand | Standing | None
    parent: Candidate | None


class Ledger:
    """All that was said in one resolution: what each project offers, what was demanded of it, what refused itself.

    Args:
        question: what is asked.
        fetch: gives the offers of a project, or None where no index has it.
    """

    def __init__(self, question: Question, fetch: Callable[[NormalizedName], Offers | None]) -> None:
        self.question = question
        self.refused: dict[Listed, Reason] = {}
        self._fetch = fetch
        self._constraints: dict[NormalizedName, list[Demand]] = {}
        self._demands: dict[NormalizedName, list[Demand]] = {}
        self._offers: dict[NormalizedName, Offers | None] = {}
        for demand in question.constraints:
            self._constraints.setdefault(demand.name, []).append(demand)

    def record(self, demand: Demand) -> None:
        """Writes down a demand."""
        self._demands.setdefault(demand.name, []).append(demand)

    def demands_on(self, name: NormalizedName) -> tuple[Demand, ...]:
        """Every demand on a project that was ever made in this resolution, the first one first."""
        return tuple(self._demands.get(name, ()))

    def constraints_on(self, name: NormalizedName) -> tuple[Demand, ...]:
        """What the user demands of a project in case it is needed."""
        return tuple(self._constraints.get(name, ()))

    def offers(self, name: NormalizedName) -> Offers | None:
        """What a project has for the target; None where no index has it."""
        if name not in self._offers:
            self._offers.setdefault(name, self._fetch(name))
        return self._offers[name]

    def keep(self, name: NormalizedName, offers: Offers) -> Offers:
        """Remembers offers that were made ahead, unless there are some already; gives those that count."""
        return self._offers.setdefault(name, offers) or offers

    def specifier(self, name: NormalizedName, demands: Iterable[Demand]) -> SpecifierSet:
        """What demands and the constraints on a project together ask of its version."""
        return combined((*demands, *self.constraints_on(name)))

    def violated(self, one: Standing, other: Standing) -> tuple[Rule, ...]:
        """The rules that exclude two versions from standing together."""
        rules, target = self.question.rules, self.question.target
        return rules.violated(one.name, one.version, other.name, other.version, target)

    def matching(self, name: NormalizedName, specifier: SpecifierSet) -> Iterator[Version]:
        """The versions of a project that a specifier admits, newest first, pre-releases as the question has it."""
        offers = self.offers(name)
        return offers.matching(specifier, pre=self.question.policy.prereleases(name)) if offers else iter(())

    def usable(self, name: NormalizedName, version: Version) -> bool:
        """Whether a version still has a file that did not refuse itself."""
        offers = self.offers(name)
        return offers is not None and any(file not in self.refused for _, file in offers.files(version))


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
    offers = ledger.offers(name)
    if offers is None:
        return ()
    specifier = ledger.specifier(name, (demand for demand in demands if demand.name == name))
    found = [
        RefusedFile(filename=file.filename, version=version, reasons=reasons)
        for version in specifier.filter(offers.page.versions, prereleases=True)
        for file in offers.page.versions[version]
        if (reasons := offers.refusal(file) or _later_refusal(ledger, offers, file))
    ]
    return tuple(sorted(found, key=lambda refused: refused.closeness, reverse=True))


def _later_refusal(ledger: Ledger, offers: Offers, file: Listed) -> tuple[Reason, ...]:
    """Reasons that the page alone does not give: the metadata once read, a withdrawal, a pre-release beside finals."""
    if file in ledger.refused:
        return (ledger.refused[file],)
    if file.yanked is not None:
        return (Yanked(why=file.yanked),)
    pre = ledger.question.policy.prereleases(file.name)
    unwanted = pre is False or (pre is None and any(not version.is_prerelease for version in offers.versions))
    return (PreReleaseNotWanted(),) if file.version.is_prerelease and unwanted else ()


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
