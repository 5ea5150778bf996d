"""State recorded during a resolution, from which answers and explanations are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from packaging.version import Version

from wheelcheck.common.records import record
from wheelcheck.resolver.candidates import Candidates, combined
from wheelcheck.resolver.compatibility import Reason
from wheelcheck.resolver.model import Candidate, Demand, Question
from wheelcheck.rules.model import Rule
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


@record
class PairVersion:
    """The message from a candidate to a project that rules connect it with: this version is in the answer."""

    key: str
    name: NormalizedName
    version: Version


class _Admitted:
    """Versions computed one after the other, on demand, and kept for all readers."""

    def __init__(self, versions: Iterator[Version]) -> None:
        self._known: list[Version] = []
        self._further = versions
        self._is_complete = False

    def __iter__(self) -> Iterator[Version]:
        return iter(self._known) if self._is_complete else self._one_by_one()

    def _one_by_one(self) -> Iterator[Version]:
        place = 0
        while not self._is_complete or place < len(self._known):
            if place == len(self._known):
                self._known += islice(self._further, 1)
                self._is_complete = place == len(self._known)
            yield from self._known[place : place + 1]
            place += 1


@record
class Cause:
    """One side of a conflict: the demand, if there is one to show, and the candidate that makes it."""

    requirement: Demand | PairVersion | None
    parent: Candidate | None


class ResolutionState:
    """State recorded during a resolution: candidates, demands, and files that rejected themselves.

    Args:
        question: what is asked.
        fetch: returns the candidates of a project, or None where no index has it.
    """

    def __init__(self, question: Question, fetch: Callable[[NormalizedName], Candidates | None]) -> None:
        self.question = question
        self.refused: dict[Listed, Reason] = {}
        self._fetch = fetch
        self._constraints: dict[NormalizedName, list[Demand]] = {}
        self._demands: dict[NormalizedName, list[Demand]] = {}
        self._candidates_of: dict[NormalizedName, Candidates | None] = {}
        self._admitted: dict[tuple[NormalizedName, str, bool | None], _Admitted] = {}
        for demand in question.constraints:
            self._constraints.setdefault(demand.name, []).append(demand)

    def record(self, demand: Demand) -> None:
        """Record a demand."""
        self._demands.setdefault(demand.name, []).append(demand)

    def demands_on(self, name: NormalizedName) -> tuple[Demand, ...]:
        """Return every demand on a project that was ever made in this resolution, in order."""
        return tuple(self._demands.get(name, ()))

    def constraints_on(self, name: NormalizedName) -> tuple[Demand, ...]:
        """Return the user's constraints on a project."""
        return tuple(self._constraints.get(name, ()))

    def candidates(self, name: NormalizedName) -> Candidates | None:
        """Return the candidates of a project; None where no index has it."""
        if name not in self._candidates_of:
            self._candidates_of.setdefault(name, self._fetch(name))
        return self._candidates_of[name]

    def keep(self, name: NormalizedName, candidates: Candidates) -> Candidates:
        """Keep prefetched candidates, unless there are some already; return those that count."""
        return self._candidates_of.setdefault(name, candidates) or candidates

    def specifier(self, name: NormalizedName, demands: Iterable[Demand]) -> SpecifierSet:
        """Return the intersection of demands and of the constraints on a project."""
        return combined((*demands, *self.constraints_on(name)))

    def violated(self, one: PairVersion, other: PairVersion) -> tuple[Rule, ...]:
        """Return the rules that exclude a pair of versions."""
        rules, target = self.question.rules, self.question.target
        return rules.violated(one.name, one.version, other.name, other.version, target)

    def matching(self, name: NormalizedName, specifier: SpecifierSet, *, pre: bool = False) -> Iterable[Version]:
        """Return the versions of a project that a specifier admits, newest first, each computed once.

        Pre-releases are included if `pre` is true, and otherwise as the question has it.
        """
        candidates = self.candidates(name)
        if candidates is None:
            return ()
        key = name, str(specifier), pre or self.question.policy.prereleases(name)
        if key not in self._admitted:
            self._admitted[key] = _Admitted(candidates.matching(specifier, pre=key[2]))
        return self._admitted[key]

    def usable(self, name: NormalizedName, version: Version) -> bool:
        """Return whether a version still has a file that did not reject itself."""
        candidates = self.candidates(name)
        return candidates is not None and any(file not in self.refused for _, file in candidates.files(version))
