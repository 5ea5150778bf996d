"""Why there is no answer, read from the ledger of all that was said during a resolution."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.version import InvalidVersion, Version

from wheelcheck.common.records import replace
from wheelcheck.resolver.candidates import Candidates
from wheelcheck.resolver.compatibility import unreadable_reason
from wheelcheck.resolver.model import (
    AddedByRule,
    Asked,
    Conflict,
    Constraint,
    Demand,
    Missing,
    NeededBy,
    NoAnswer,
    NoCompatibleFile,
    NoMatchingVersion,
    RefusedFile,
)
from wheelcheck.resolver.rejections import Refusals
from wheelcheck.resolver.state import Cause, Ledger, PairVersion
from wheelcheck.standards.markers import applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.specifiers import specifiers_of, version_of

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from wheelcheck.targets.target import Target


class Telling(NamedTuple):
    """An explanation, and how well it tells.

    Attributes:
        answer: the explanation.
        is_whole: whether one clash brings in all that was stated.
        is_evident: whether its demands show that they cannot be met, by what they say and who makes them.
        makers: the versions of each project that make its demands; several are never chosen together.
    """

    answer: NoAnswer
    is_whole: bool
    is_evident: bool
    makers: Mapping[NormalizedName, frozenset[Version]]

    @property
    def is_mixed(self) -> bool:
        """Whether it tells of several versions of one project."""
        return any(len(versions) > 1 for versions in self.makers.values())

    @property
    def is_plain(self) -> bool:
        """Whether it tells of one clash, which can be seen, of one version of each project."""
        return self.is_whole and self.is_evident and not self.is_mixed


def explain(ledger: Ledger, clashes: Sequence[Sequence[Cause]], unsaid: Collection[Demand] = ()) -> Telling:
    """Why a question has no answer, where all that it states is needed for that.

    The first clash is about what would be chosen if it could. Others are about what would be chosen then; those matter
    that bring in more of what was stated. What no clash brings in decided which versions came into question at all.

    Args:
        ledger: what was said.
        clashes: from what the search stepped back, in its order.
        unsaid: constraints that the user did not state.
    """
    told: list[NoAnswer] = []
    stated = [one for one in (*ledger.question.demands, *ledger.question.constraints) if one not in unsaid]
    left = {demand.asking for demand in stated}
    for answer in _evident_first(ledger, (_explain_clash(ledger, clash, unsaid) for clash in clashes)):
        new = {demand.asking for demand in answer.demands} & left
        if not told or new:
            told.append(answer)
            left -= new
        if not left:
            break
    is_whole, is_evident = len(told) == 1 and not left, any(_is_evident(ledger, one) for one in told)
    answer = told[0] if len(told) == 1 else _together(told)
    shown = {demand.asking: demand for demand in (*answer.demands, *stated)}
    answer = replace(answer, demands=tuple(shown.values()))
    return Telling(answer, is_whole=is_whole, is_evident=is_evident, makers=_makers(answer))


def _evident_first(ledger: Ledger, answers: Iterable[NoAnswer]) -> Iterator[NoAnswer]:
    """Those that tell of a choice that could have been another one come last."""
    others = []
    for answer in answers:
        if _is_evident(ledger, answer):
            yield answer
        else:
            others.append(answer)
    yield from others


def _is_evident(ledger: Ledger, told: NoAnswer) -> bool:
    """Whether the demands that are told cannot be met, by the versions that make them or by any other."""
    if not isinstance(told, Conflict):
        return True
    makers = _makers(told)
    names = dict.fromkeys(demand.name for demand in told.demands)
    return not all(
        _is_met(ledger, name, [demand for demand in told.demands if demand.name == name], version)
        for name in names
        for version in makers.get(name, (None,))
    )


def meeting(ledger: Ledger, clash: Sequence[Cause]) -> tuple[Demand, ...]:
    """The demands that meet in a clash."""
    return _explain_clash(ledger, clash).demands


def _makers(told: NoAnswer) -> dict[NormalizedName, frozenset[Version]]:
    versions: dict[NormalizedName, frozenset[Version]] = {}
    for demand in told.demands:
        if isinstance(demand.origin, NeededBy | AddedByRule):
            name = demand.origin.name
            versions[name] = versions.get(name, frozenset()) | {demand.origin.version}
    return versions


def _together(told: Sequence[NoAnswer]) -> Conflict:
    """Several clashes as one."""
    demands = dict.fromkeys(demand for answer in told for demand in answer.demands)
    files = dict.fromkeys(file for answer in told for file in answer.files)
    return Conflict(project=told[0].project, demands=tuple(demands), files=_nearest_first(files))


def _explain_clash(ledger: Ledger, causes: Sequence[Cause], unsaid: Collection[Demand] = ()) -> NoAnswer:
    """The narrowest description of a clash that its causes bear.

    Causes may come from several versions of one project that failed one after another: the newest speaks of which it
    can be seen why.
    """
    tellings = (_explain_together(ledger, together, unsaid) for together in _newest_together(causes))
    first = next(tellings)
    return next((told for told in chain([first], tellings) if _is_evident(ledger, told)), first)


def _explain_together(ledger: Ledger, causes: Sequence[Cause], unsaid: Collection[Demand]) -> NoAnswer:
    """What causes tell that can have stood together: one project's own trouble where it has some."""
    demands = tuple(demand for demand in _demands(ledger, _fewest(ledger, causes)) if demand not in unsaid)
    names = tuple(dict.fromkeys(demand.name for demand in demands))
    for name in names:
        told = _own_trouble(ledger, name, demands)
        if told is not None:
            return told
    return _conflict(ledger, names, demands)


def _own_trouble(ledger: Ledger, name: NormalizedName, demands: tuple[Demand, ...]) -> NoAnswer | None:
    """What keeps a project out by itself: it is not there, or no version or no file of it is as demanded."""
    about = [demand for demand in demands if demand.name == name]
    chains = tuple(dict.fromkeys(link for demand in about for link in _chain(ledger, demand)))
    offers = ledger.offers(name)
    if offers is None:
        return Missing(project=name, demands=chains)
    if _is_met(ledger, name, about):
        return None
    files = refused_files(ledger, name, about)
    if files:
        return NoCompatibleFile(project=name, demands=chains, files=files)
    stated = [demand for demand in about if not isinstance(demand.origin, AddedByRule)]
    hopeless = [demand for demand in stated if not _meets_some(offers, demand.requirement.specifier)]
    if offers.page.versions and not hopeless:
        return _conflict(ledger, (name,), chains)
    alone = tuple(dict.fromkeys(link for demand in hopeless for link in _chain(ledger, demand)))
    return _none_listed(ledger, name, alone, offers)


def _conflict(ledger: Ledger, names: Sequence[NormalizedName], demands: tuple[Demand, ...]) -> Conflict:
    """Demands that cannot be met together, with what each has for itself, and instead of what else they are made."""
    files = [file for name in names for file in _sides(ledger, name, demands)]
    for name in dict.fromkeys(demand.name for demand in demands):
        files += _unusable(ledger, name, demands)
    return Conflict(project=names[0], demands=demands, files=_nearest_first(files))


def _none_listed(
    ledger: Ledger, name: NormalizedName, demands: tuple[Demand, ...], offers: Candidates
) -> NoMatchingVersion:
    newest = next(iter(offers.page.versions), None)
    about = [demand.requirement.specifier for demand in demands if demand.name == name]
    files = [] if any(specifier.is_unsatisfiable() for specifier in about) else [*_beside(ledger, name, offers, about)]
    files += (
        RefusedFile(filename=file.filename, version=None, reasons=(unreadable_reason(file),))
        for file in offers.page.unreadable
        if newest is None or any(_may_be_meant(file.filename, specifier) for specifier in about)
    )
    return NoMatchingVersion(project=name, newest=newest, demands=demands, files=_nearest_first(files))


def _beside(
    ledger: Ledger, name: NormalizedName, offers: Candidates, specifiers: Iterable[SpecifierSet]
) -> Iterator[RefusedFile]:
    """The files that would be taken of the versions next to those that are asked for; all where none would be."""
    every = specifiers_of("")
    usable = [version for version in ledger.matching(name, every) if ledger.usable(name, version)]
    if not usable:
        yield from _refused(ledger, offers, every)
    for bound in (bound for specifier in specifiers for bound in _bounds(specifier)):
        below = [version for version in usable if version <= bound][:1]
        above = [version for version in usable if version > bound][-1:]
        for version in (*above, *below):
            yield from _taken(ledger, offers, version)


def _bounds(specifier: SpecifierSet) -> Iterator[Version]:
    for clause in specifier:
        with suppress(InvalidVersion):
            yield version_of(clause.version.removesuffix(".*"))


def _taken(ledger: Ledger, offers: Candidates, version: Version) -> Iterator[RefusedFile]:
    """The file that would be taken of a version, if any would."""
    usable = (file for _, file in offers.files(version) if file not in ledger.refused)
    return (RefusedFile(filename=file.filename, version=version, reasons=()) for file in islice(usable, 1))


def _may_be_meant(filename: str, specifier: SpecifierSet) -> bool:
    """Whether a file whose name cannot be read may be of the version that is pinned."""
    return any(f"-{clause.version}" in filename for clause in specifier if clause.operator in {"==", "==="})


def _meets_some(offers: Candidates, specifier: SpecifierSet) -> bool:
    return any(True for _ in specifier.filter(offers.page.versions, prereleases=True))


# -- files


def _sides(ledger: Ledger, name: NormalizedName, demands: Iterable[Demand]) -> Iterator[RefusedFile]:
    """What each of several demands on a project has for itself, where they have nothing together."""
    offers = ledger.offers(name)
    about = [demand for demand in (*demands, *ledger.constraints_on(name)) if demand.name == name]
    specifiers = dict.fromkeys(demand.requirement.specifier for demand in about)
    if offers is not None and len(specifiers) > 1:
        for specifier in filter(None, specifiers):
            yield from _admitted(ledger, name, offers, specifier)


def _unusable(ledger: Ledger, name: NormalizedName, demands: Iterable[Demand]) -> Iterator[RefusedFile]:
    """The files of the versions of a project that would do if their metadata did not refuse them."""
    offers = ledger.offers(name)
    if offers is None or all(file.name != name for file in ledger.refused):
        return
    for version in ledger.matching(name, ledger.specifier(name, (d for d in demands if d.name == name))):
        for _, file in offers.files(version):
            if file in ledger.refused:
                yield RefusedFile(filename=file.filename, version=version, reasons=(ledger.refused[file],))


def _admitted(
    ledger: Ledger, name: NormalizedName, offers: Candidates, specifier: SpecifierSet
) -> tuple[RefusedFile, ...]:
    """The file that would be taken if only this were demanded; where there is none, all that are refused."""
    taken = (file for version in ledger.matching(name, specifier) for file in _taken(ledger, offers, version))
    first = next(taken, None)
    return (first,) if first is not None else _refused(ledger, offers, specifier)


def refused_files(ledger: Ledger, name: NormalizedName, demands: Iterable[Demand]) -> tuple[RefusedFile, ...]:
    """The files of the versions that the demands on a project admit, each with why it is refused, the nearest first."""
    offers = ledger.offers(name)
    if offers is None:
        return ()
    return _refused(ledger, offers, ledger.specifier(name, (demand for demand in demands if demand.name == name)))


def _refused(ledger: Ledger, offers: Candidates, specifier: SpecifierSet) -> tuple[RefusedFile, ...]:
    judged = Refusals(ledger, offers, specifier).judged()
    target = ledger.question.target
    return _nearest_first(one.refused(target) for one in judged if not one.verdict and one.version is not None)


def _nearest_first(files: Iterable[RefusedFile]) -> tuple[RefusedFile, ...]:
    """The nearest file first, and with it those of its version that are refused alike."""
    nearest: dict[object, tuple[Any, ...]] = {}
    every = dict.fromkeys(files)
    for refused in every:
        nearest[refused.likeness] = max(nearest.get(refused.likeness, ()), refused.closeness)
    return tuple(sorted(every, key=lambda refused: (nearest[refused.likeness], refused.closeness), reverse=True))


# -- from causes to demands


def _newest_together(causes: Sequence[Cause]) -> Iterator[tuple[Cause, ...]]:
    """The causes that can have stood together: of each project that asks, those of its newest version, then older."""
    versions: dict[NormalizedName, set[Version]] = {}
    for cause in causes:
        if cause.parent is not None:
            versions.setdefault(cause.parent.name, set()).add(cause.parent.version)
    ordered = {name: sorted(several, reverse=True) for name, several in versions.items()}
    for place in range(max(map(len, ordered.values()), default=1)):
        told = {name: several[min(place, len(several) - 1)] for name, several in ordered.items()}
        yield tuple(c for c in causes if c.parent is None or c.parent.version == told[c.parent.name])


def _fewest(ledger: Ledger, causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """The causes that a clash takes: of those over one project the fewest, by their chains, that cannot all be met."""
    kept = [cause for cause in causes if not isinstance(cause.ask, Demand)]
    tied = {cause.parent.name: cause.parent.version for cause in kept if cause.ask is None and cause.parent}
    for name in dict.fromkeys(cause.ask.name for cause in causes if isinstance(cause.ask, Demand)):
        about = {cause.ask: cause for cause in causes if isinstance(cause.ask, Demand) and cause.ask.name == name}
        kept += (about[ask] for ask in _clashing(ledger, name, tuple(about), tied.get(name)))
    return tuple(kept or causes)


def _clashing(ledger: Ledger, name: NormalizedName, demands: Iterable[Demand], tied: Version | None) -> list[Demand]:
    """So few demands on a project that without any one of them some version would do; none where one does for all.

    Where the project is tied to a version, only that one comes into question.
    """
    kept = sorted(demands, key=lambda demand: len(_chain(ledger, demand)))
    if _is_met(ledger, name, kept, tied):
        return []
    for demand in kept[::-1]:
        others = [other for other in kept if other is not demand]
        if others and not _is_met(ledger, name, others, tied):
            kept = others
    return kept


def _is_met(ledger: Ledger, name: NormalizedName, demands: Iterable[Demand], tied: Version | None = None) -> bool:
    """Whether some version of a project would do for all of some demands on it."""
    matching = ledger.matching(name, ledger.specifier(name, demands))
    return any(ledger.usable(name, version) for version in matching if tied in (None, version))


def _demands(ledger: Ledger, causes: Sequence[Cause]) -> tuple[Demand, ...]:
    """The demands that meet in the causes, each followed by the chain that leads to what was asked."""
    found: dict[Demand, None] = {}
    standings = [cause.ask for cause in causes if isinstance(cause.ask, PairVersion)]
    for cause in causes:
        if isinstance(cause.ask, Demand):
            found |= dict.fromkeys(_chain(ledger, cause.ask))
        elif cause.parent is not None:
            found |= dict.fromkeys(_chain_to(ledger, cause.parent.name, cause.parent.version))
    found |= dict.fromkeys(_exclusions(ledger, standings))
    for name in dict.fromkeys(demand.name for demand in found):
        found |= dict.fromkeys(ledger.constraints_on(name))
    return tuple(found)


def _exclusions(ledger: Ledger, standings: Sequence[PairVersion]) -> Iterator[Demand]:
    """What rules demand of each of the versions that stand together, because of another one of them."""
    for one in standings:
        others = {other.name: other.version for other in standings if other.name != one.name}
        for rule, requirement in ledger.question.rules.constraining(one.name, one.version, ledger.question.target):
            version = others.get(canonicalize_name(requirement.name))
            if version is not None and not requirement.specifier.contains(version, prereleases=True):
                yield Demand(requirement=requirement, origin=AddedByRule(rule=rule, name=one.name, version=one.version))


def _chain(ledger: Ledger, demand: Demand) -> tuple[Demand, ...]:
    """A demand and those above it, by the shortest way up to the user's own."""
    below: dict[Demand, Demand | None] = {demand: None}
    waiting = deque(below)
    while waiting:
        last = waiting.popleft()
        if isinstance(last.origin, Asked | Constraint):
            return tuple(_way(last, below))[::-1]
        for above in _askers(ledger, last):
            if above not in below:
                below[above] = last
                waiting.append(above)
    return (demand,)


def _way(demand: Demand | None, below: Mapping[Demand, Demand | None]) -> Iterator[Demand]:
    while demand is not None:
        yield demand
        demand = below[demand]


def _askers(ledger: Ledger, demand: Demand) -> Iterator[Demand]:
    """The demands that admit the file whose metadata makes a demand, and ask for the extra that it belongs to."""
    origin = demand.origin
    if isinstance(origin, NeededBy | AddedByRule):
        for above in ledger.demands_on(origin.name):
            if _admits(above, origin.version) and _opens(above, demand, ledger.question.target):
                yield above


def _opens(above: Demand, demand: Demand, target: Target) -> bool:
    """Whether a demand, with its extras, makes the requirement of another one hold."""
    if demand.requirement.marker is None or isinstance(demand.origin, AddedByRule):
        return True
    return any(applies(demand.requirement, target, extra) for extra in (None, *sorted(above.requirement.extras)))


def _chain_to(ledger: Ledger, name: NormalizedName, version: Version) -> tuple[Demand, ...]:
    """The chain to who asked for a version: the user before others."""
    asking = (demand for demand in ledger.demands_on(name) if _admits(demand, version))
    first = min(asking, key=lambda demand: not isinstance(demand.origin, Asked), default=None)
    return _chain(ledger, first) if first is not None else ()


def _admits(demand: Demand, version: Version) -> bool:
    return demand.requirement.specifier.contains(version, prereleases=True)
