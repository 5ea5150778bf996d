"""Find where curated rules held a project back: versions that everything but the rules would admit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

from packaging.version import Version

from wheelcheck.resolver.candidates import Candidates
from wheelcheck.resolver.compatibility import Judge
from wheelcheck.resolver.model import AddedByRule, Candidate, Demand, HeldBack
from wheelcheck.resolver.state import ResolutionState
from wheelcheck.rules.model import Rule
from wheelcheck.standards.names import NormalizedName

Chosen = Mapping[NormalizedName, Candidate]


def held_back(
    chosen: Chosen,
    demands: Mapping[NormalizedName, Sequence[Demand]],
    state: ResolutionState,
    unruled: Callable[[NormalizedName, Judge], Candidates | None],
) -> Iterator[HeldBack]:
    """Yield the projects of an answer that rules keep below a version that everything else would admit.

    Args:
        chosen: the candidate of each project in the answer.
        demands: the demands on each of them.
        state: what the resolution recorded.
        unruled: returns the candidates of a project under another judge.
    """
    for name, candidate in sorted(chosen.items()):
        against = _against_newer(candidate, demands[name], chosen, state, unruled)
        if against:
            newest = max(against)
            yield HeldBack(name=name, chosen=candidate.version, instead_of=newest, rules=against[newest])


def _against_newer(
    candidate: Candidate,
    demands: Sequence[Demand],
    chosen: Chosen,
    state: ResolutionState,
    unruled: Callable[[NormalizedName, Judge], Candidates | None],
) -> dict[Version, tuple[Rule, ...]]:
    """Yield the rules against each newer version that only rules exclude."""
    question, name = state.question, candidate.name
    free = [demand for demand in demands if not isinstance(demand.origin, AddedByRule)]
    touched = len(free) < len(demands) or name in question.rules.projects or question.rules.partners(name)
    free_judge = Judge(question.target, any_python=question.policy.ignore_requires_python)
    candidates = unruled(name, free_judge) if touched else None
    if candidates is None:
        return {}
    allowed = candidates.matching(state.specifier(name, free), pre=question.policy.prereleases(name))
    newer = takewhile(lambda version: version > candidate.version, allowed)
    against = {version: _rules_against(name, version, demands, chosen, state) for version in newer}
    return {version: rules for version, rules in against.items() if rules}


def _rules_against(
    name: NormalizedName, version: Version, demands: Sequence[Demand], chosen: Chosen, state: ResolutionState
) -> tuple[Rule, ...]:
    rules, target = state.question.rules, state.question.target
    found = [*rules.forbidding(name, version, target)]
    found += (
        demand.origin.rule
        for demand in demands
        if isinstance(demand.origin, AddedByRule) and not demand.requirement.specifier.contains(version, True)
    )
    for partner in rules.partners(name) & chosen.keys():
        found += rules.violated(name, version, partner, chosen[partner].version, target)
    return tuple(dict.fromkeys(found))
