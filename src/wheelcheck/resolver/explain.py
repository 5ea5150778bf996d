"""Explain why there is no answer, from the state recorded during a resolution."""

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
    BY_A_VERSION,
    AddedByRule,
    Asked,
    Conflict,
    Constraint,
    Demand,
    Missing,
    NoAnswer,
    NoCompatibleFile,
    NoMatchingVersion,
    RefusedFile,
)
from wheelcheck.resolver.rejections import Refusals
from wheelcheck.resolver.state import Cause, PairVersion, ResolutionState
from wheelcheck.standards.markers import applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import UnreadableFile
from wheelcheck.standards.specifiers import specifiers_of, version_of

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from wheelcheck.targets.target import Target


class RankedExplanation(NamedTuple):
    """An explanation, with how good it is.

    Attributes:
        answer: the explanation.
        is_whole: whether one conflict involves everything that the user stated.
        is_evident: whether its demands contradict each other visibly, by their specifiers and origins.
        demanding_versions: the versions of each project that make its demands; an answer never contains two of them.
    """

    answer: NoAnswer
    is_whole: bool
    is_evident: bool
    demanding_versions: Mapping[NormalizedName, frozenset[Version]]

    @property
    def is_mixed(self) -> bool:
        """Whether it involves several versions of one project."""
        return any(len(versions) > 1 for versions in self.demanding_versions.values())

    @property
    def is_plain(self) -> bool:
        """Whether it shows one evident conflict, among one version of each project."""
        return self.is_whole and self.is_evident and not self.is_mixed


def explain(
    state: ResolutionState, clashes: Sequence[Sequence[Cause]], unsaid: Collection[Demand] = ()
) -> RankedExplanation:
    """Explain why a minimal question has no answer.

    The first conflict is about the versions that would be chosen by preference, others about those chosen next; the
    ones that involve more of what the user stated count. What no conflict involves decided which versions came into
    question.

    Args:
        state: what the resolution recorded.
        clashes: the conflicts that the search backtracked from, in order.
        unsaid: constraints that the user did not state.
    """
    answers: list[NoAnswer] = []
    stated = [one for one in (*state.question.demands, *state.question.constraints) if one not in unsaid]
    left = {demand.asking for demand in stated}
    for answer in _evident_first(state, (_explain_clash(state, clash, unsaid) for clash in clashes)):
        new = {demand.asking for demand in answer.demands} & left
        if not answers or new:
            answers.append(answer)
            left -= new
        if not left:
            break
    is_whole, is_evident = len(answers) == 1 and not left, any(_is_evident(state, one) for one in answers)
    answer = answers[0] if len(answers) == 1 else _together(answers)
    shown = {demand.asking: demand for demand in (*answer.demands, *stated)}
    answer = replace(answer, demands=tuple(shown.values()))
    return RankedExplanation(
        answer, is_whole=is_whole, is_evident=is_evident, demanding_versions=_demanding_versions(answer)
    )


def _evident_first(state: ResolutionState, answers: Iterable[NoAnswer]) -> Iterator[NoAnswer]:
    """Order explanations so that those of a choice that could have been different come last."""
    others = []
    for answer in answers:
        if _is_evident(state, answer):
            yield answer
        else:
            others.append(answer)
    yield from others


def _is_evident(state: ResolutionState, conflict: NoAnswer) -> bool:
    """Return whether the demands of an explanation cannot be met, whichever versions make them."""
    if not isinstance(conflict, Conflict):
        return True
    demanding_versions = _demanding_versions(conflict)
    names = dict.fromkeys(demand.name for demand in conflict.demands)
    return not all(
        _is_met(state, name, [demand for demand in conflict.demands if demand.name == name], version)
        for name in names
        for version in demanding_versions.get(name, (None,))
    )


def meeting(state: ResolutionState, clash: Sequence[Cause]) -> tuple[Demand, ...]:
    """Return the demands that meet in a conflict."""
    return _explain_clash(state, clash).demands


def _demanding_versions(conflict: NoAnswer) -> dict[NormalizedName, frozenset[Version]]:
    versions: dict[NormalizedName, frozenset[Version]] = {}
    for demand in conflict.demands:
        if isinstance(demand.origin, BY_A_VERSION):
            name = demand.origin.name
            versions[name] = versions.get(name, frozenset()) | {demand.origin.version}
    return versions


def _together(conflicts: Sequence[NoAnswer]) -> Conflict:
    """Merge several conflicts into one."""
    demands = dict.fromkeys(demand for answer in conflicts for demand in answer.demands)
    files = dict.fromkeys(file for answer in conflicts for file in answer.files)
    return Conflict(project=conflicts[0].project, demands=tuple(demands), files=_nearest_first(files))


def _explain_clash(state: ResolutionState, causes: Sequence[Cause], unsaid: Collection[Demand] = ()) -> NoAnswer:
    """Return the narrowest explanation that the causes of a conflict support.

    Causes may come from several versions of one project that failed in turn; the newest for which the reason is evident
    counts.
    """
    explanations = (_explain_together(state, together, unsaid) for together in _newest_together(causes))
    first = next(explanations)
    return next((explanation for explanation in chain([first], explanations) if _is_evident(state, explanation)), first)


def _explain_together(state: ResolutionState, causes: Sequence[Cause], unsaid: Collection[Demand]) -> NoAnswer:
    """Explain causes that can occur together, by the trouble of one project alone where there is one."""
    demands = tuple(demand for demand in _demands(state, _fewest(state, causes)) if demand not in unsaid)
    names = tuple(dict.fromkeys(demand.name for demand in demands))
    for name in names:
        trouble = _own_trouble(state, name, demands)
        if trouble is not None:
            return trouble
    return _conflict(state, names, demands)


def _own_trouble(state: ResolutionState, name: NormalizedName, demands: tuple[Demand, ...]) -> NoAnswer | None:
    """Return what rules out a project by itself: no index has it, no version matches, or no file is compatible."""
    about = [demand for demand in demands if demand.name == name]
    chains = tuple(dict.fromkeys(link for demand in about for link in _chain(state, demand)))
    candidates = state.candidates(name)
    if candidates is None:
        return Missing(project=name, demands=chains)
    if _is_met(state, name, about):
        return None
    files = refused_files(state, name, about)
    if files:
        return NoCompatibleFile(project=name, demands=chains, files=files)
    stated = [demand for demand in about if not isinstance(demand.origin, AddedByRule)]
    hopeless = [demand for demand in stated if not any(_readable(candidates, demand.requirement.specifier))]
    if not hopeless and any(_readable(candidates, specifiers_of(""))):
        return _conflict(state, (name,), chains)
    alone = tuple(dict.fromkeys(link for demand in hopeless for link in _chain(state, demand)))
    return _none_listed(state, name, alone, candidates)


def _conflict(state: ResolutionState, names: Sequence[NormalizedName], demands: tuple[Demand, ...]) -> Conflict:
    """Return a conflict between demands, with what each would select by itself and how else it could be made."""
    files = [file for name in names for file in _files_for_demands(state, name, demands)]
    for name in dict.fromkeys(demand.name for demand in demands):
        files += _unusable(state, name, demands)
    return Conflict(project=names[0], demands=demands, files=_nearest_first(files))


def _none_listed(
    state: ResolutionState, name: NormalizedName, demands: tuple[Demand, ...], candidates: Candidates
) -> NoMatchingVersion:
    newest = next(_readable(candidates, specifiers_of("")), None)
    about = [demand.requirement.specifier for demand in demands if demand.name == name]
    files = (
        []
        if any(specifier.is_unsatisfiable() for specifier in about)
        else [*_nearby_files(state, name, candidates, about)]
    )
    files += (
        RefusedFile(filename=file.filename, version=None, reasons=(unreadable_reason(file),))
        for file in candidates.page.unreadable
        if newest is None or any(_may_be_meant(file.filename, specifier) for specifier in about)
    )
    return NoMatchingVersion(project=name, newest=newest, demands=demands, files=_nearest_first(files))


def _nearby_files(
    state: ResolutionState, name: NormalizedName, candidates: Candidates, specifiers: Iterable[SpecifierSet]
) -> Iterator[RefusedFile]:
    """Return the files that would be selected of the versions next to the demanded ones; all where there are none."""
    every = specifiers_of("")
    usable = [version for version in state.matching(name, every) if state.usable(name, version)]
    if not usable:
        yield from _refused(state, candidates, every)
    for bound in (bound for specifier in specifiers for bound in _bounds(specifier)):
        below = [version for version in usable if version <= bound][:1]
        above = [version for version in usable if version > bound][-1:]
        for version in (*above, *below):
            yield from _preferred_file(state, candidates, version)


def _bounds(specifier: SpecifierSet) -> Iterator[Version]:
    for clause in specifier:
        with suppress(InvalidVersion):
            yield version_of(clause.version.removesuffix(".*"))


def _preferred_file(state: ResolutionState, candidates: Candidates, version: Version) -> Iterator[RefusedFile]:
    """Return the file that would be selected of a version."""
    usable = (file for _, file in candidates.files(version) if file not in state.refused)
    return (RefusedFile(filename=file.filename, version=version, reasons=()) for file in islice(usable, 1))


def _may_be_meant(filename: str, specifier: SpecifierSet) -> bool:
    """Return whether a file with an invalid name may belong to the pinned version."""
    return any(f"-{clause.version}" in filename for clause in specifier if clause.operator in {"==", "==="})


def _readable(candidates: Candidates, specifier: SpecifierSet) -> Iterator[Version]:
    """Yield the versions of a page that a specifier admits, newest first, of which a file can be read."""
    page = candidates.page
    for version in specifier.filter(page.versions, prereleases=True):
        if not all(isinstance(file, UnreadableFile) for file in page.files_of(version)):
            yield version


# -- files


def _files_for_demands(
    state: ResolutionState, name: NormalizedName, demands: Iterable[Demand]
) -> Iterator[RefusedFile]:
    """Yield, for conflicting demands on a project, the files that each of them alone would select."""
    candidates = state.candidates(name)
    about = [demand for demand in (*demands, *state.constraints_on(name)) if demand.name == name]
    specifiers = dict.fromkeys(demand.requirement.specifier for demand in about)
    if candidates is not None and len(specifiers) > 1:
        for specifier in filter(None, specifiers):
            yield from _admitted(state, name, candidates, specifier)


def _unusable(state: ResolutionState, name: NormalizedName, demands: Iterable[Demand]) -> Iterator[RefusedFile]:
    """Return the files of the versions that would match if their metadata were usable."""
    candidates = state.candidates(name)
    if candidates is None or all(file.name != name for file in state.refused):
        return
    for version in state.matching(name, state.specifier(name, (d for d in demands if d.name == name))):
        for _, file in candidates.files(version):
            if file in state.refused:
                yield RefusedFile(filename=file.filename, version=version, reasons=(state.refused[file],))


def _admitted(
    state: ResolutionState, name: NormalizedName, candidates: Candidates, specifier: SpecifierSet
) -> tuple[RefusedFile, ...]:
    """Return the file that one demand alone would select, or all rejected ones."""
    taken = (
        file for version in state.matching(name, specifier) for file in _preferred_file(state, candidates, version)
    )
    first = next(taken, None)
    return (first,) if first is not None else _refused(state, candidates, specifier)


def refused_files(state: ResolutionState, name: NormalizedName, demands: Iterable[Demand]) -> tuple[RefusedFile, ...]:
    """Return the files of the versions that the demands on a project admit, with the reasons against them, closest
    first.
    """
    candidates = state.candidates(name)
    if candidates is None:
        return ()
    return _refused(state, candidates, state.specifier(name, (demand for demand in demands if demand.name == name)))


def _refused(state: ResolutionState, candidates: Candidates, specifier: SpecifierSet) -> tuple[RefusedFile, ...]:
    judged = Refusals(state, candidates, specifier).judged()
    target = state.question.target
    return _nearest_first(one.refused(target) for one in judged if not one.verdict and one.version is not None)


def _nearest_first(files: Iterable[RefusedFile]) -> tuple[RefusedFile, ...]:
    """Sort files by closeness, and group those of one version with the same reasons."""
    nearest: dict[object, tuple[Any, ...]] = {}
    every = dict.fromkeys(files)
    for refused in every:
        nearest[refused.likeness] = max(nearest.get(refused.likeness, ()), refused.closeness)
    return tuple(sorted(every, key=lambda refused: (nearest[refused.likeness], refused.closeness), reverse=True))


# -- from causes to demands


def _newest_together(causes: Sequence[Cause]) -> Iterator[tuple[Cause, ...]]:
    """Return the causes that can occur together: for each parent project those of its newest version."""
    versions: dict[NormalizedName, set[Version]] = {}
    for cause in causes:
        if cause.parent is not None:
            versions.setdefault(cause.parent.name, set()).add(cause.parent.version)
    ordered = {name: sorted(several, reverse=True) for name, several in versions.items()}
    for place in range(max(map(len, ordered.values()), default=1)):
        turn = {name: several[min(place, len(several) - 1)] for name, several in ordered.items()}
        yield tuple(c for c in causes if c.parent is None or c.parent.version == turn[c.parent.name])


def _fewest(state: ResolutionState, causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """Return the smallest set of causes on one project, by their chains, that cannot all be met."""
    kept = [cause for cause in causes if not isinstance(cause.requirement, Demand)]
    tied = {cause.parent.name: cause.parent.version for cause in kept if cause.requirement is None and cause.parent}
    for name in dict.fromkeys(cause.requirement.name for cause in causes if isinstance(cause.requirement, Demand)):
        about = {
            cause.requirement: cause
            for cause in causes
            if isinstance(cause.requirement, Demand) and cause.requirement.name == name
        }
        kept += (about[requirement] for requirement in _clashing(state, name, tuple(about), tied.get(name)))
    return tuple(kept or causes)


def _clashing(
    state: ResolutionState, name: NormalizedName, demands: Iterable[Demand], tied: Version | None
) -> list[Demand]:
    """Return a minimal conflicting subset of the demands on a project; none where some version meets all.

    If the project is tied to a version, only that one counts.
    """
    kept = sorted(demands, key=lambda demand: len(_chain(state, demand)))
    if _is_met(state, name, kept, tied):
        return []
    for demand in kept[::-1]:
        others = [other for other in kept if other is not demand]
        if others and not _is_met(state, name, others, tied):
            kept = others
    return kept


def _is_met(
    state: ResolutionState, name: NormalizedName, demands: Iterable[Demand], tied: Version | None = None
) -> bool:
    """Return whether some version of a project meets all of some demands."""
    matching = state.matching(name, state.specifier(name, demands))
    return any(state.usable(name, version) for version in matching if tied in (None, version))


def _demands(state: ResolutionState, causes: Sequence[Cause]) -> tuple[Demand, ...]:
    """Return the demands that meet in the causes, each followed by the chain that leads to the user's requirements."""
    found: dict[Demand, None] = {}
    pair_versions = [cause.requirement for cause in causes if isinstance(cause.requirement, PairVersion)]
    for cause in causes:
        if isinstance(cause.requirement, Demand):
            found |= dict.fromkeys(_chain(state, cause.requirement))
        elif cause.parent is not None:
            found |= dict.fromkeys(_chain_to(state, cause.parent.name, cause.parent.version))
    found |= dict.fromkeys(_exclusions(state, pair_versions))
    for name in dict.fromkeys(demand.name for demand in found):
        found |= dict.fromkeys(state.constraints_on(name))
    return tuple(found)


def _exclusions(state: ResolutionState, pair_versions: Sequence[PairVersion]) -> Iterator[Demand]:
    """Return the demands of rules between the versions that are chosen together."""
    for one in pair_versions:
        others = {other.name: other.version for other in pair_versions if other.name != one.name}
        for rule, requirement in state.question.rules.constraining(one.name, one.version, state.question.target):
            version = others.get(canonicalize_name(requirement.name))
            if version is not None and not requirement.specifier.contains(version, prereleases=True):
                yield Demand(requirement=requirement, origin=AddedByRule(rule=rule, name=one.name, version=one.version))


def _chain(state: ResolutionState, demand: Demand) -> tuple[Demand, ...]:
    """Return a demand and those above it, by the shortest way up to the user's own."""
    below: dict[Demand, Demand | None] = {demand: None}
    waiting = deque(below)
    while waiting:
        last = waiting.popleft()
        if isinstance(last.origin, Asked | Constraint):
            return tuple(_path_up(last, below))[::-1]
        for above in _demands_causing(state, last):
            if above not in below:
                below[above] = last
                waiting.append(above)
    return (demand,)


def _path_up(demand: Demand | None, below: Mapping[Demand, Demand | None]) -> Iterator[Demand]:
    while demand is not None:
        yield demand
        demand = below[demand]


def _demands_causing(state: ResolutionState, demand: Demand) -> Iterator[Demand]:
    """Yield the demands that admit the file whose metadata makes a demand, with the extra that it belongs to."""
    origin = demand.origin
    if isinstance(origin, BY_A_VERSION):
        for above in state.demands_on(origin.name):
            if _admits(above, origin.version) and _activates(above, demand, state.question.target):
                yield above


def _activates(above: Demand, demand: Demand, target: Target) -> bool:
    """Return whether a demand, with its extras, activates the requirement of another one."""
    if demand.requirement.marker is None or isinstance(demand.origin, AddedByRule):
        return True
    return any(applies(demand.requirement, target, extra) for extra in (None, *sorted(above.requirement.extras)))


def _chain_to(state: ResolutionState, name: NormalizedName, version: Version) -> tuple[Demand, ...]:
    """Return the chain to whoever requires a version; the user comes first."""
    asking = (demand for demand in state.demands_on(name) if _admits(demand, version))
    first = min(asking, key=lambda demand: not isinstance(demand.origin, Asked), default=None)
    return _chain(state, first) if first is not None else ()


def _admits(demand: Demand, version: Version) -> bool:
    return demand.requirement.specifier.contains(version, prereleases=True)
