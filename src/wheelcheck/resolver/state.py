"""All that was said in one resolution, from which answers and explanations are read."""

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
    """What a candidate tells a project that rules bind it to: I am in the answer, with this version."""

    key: str
    name: NormalizedName
    version: Version


class _Admitted:
    """Versions that are found out one after the other, by the first who wants to know."""

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
    """One side of a clash: what was asked, if it is something to show, and the candidate that asked it."""

    ask: Demand | PairVersion | None
    parent: Candidate | None


class Ledger:
    """All that was said in one resolution: what each project offers, what was demanded of it, what refused itself.

    Args:
        question: what is asked.
        fetch: gives the offers of a project, or None where no index has it.
    """

    def __init__(self, question: Question, fetch: Callable[[NormalizedName], Candidates | None]) -> None:
        self.question = question
        self.refused: dict[Listed, Reason] = {}
        self._fetch = fetch
        self._constraints: dict[NormalizedName, list[Demand]] = {}
        self._demands: dict[NormalizedName, list[Demand]] = {}
        self._offers: dict[NormalizedName, Candidates | None] = {}
        self._admitted: dict[tuple[NormalizedName, str, bool | None], _Admitted] = {}
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

    def offers(self, name: NormalizedName) -> Candidates | None:
        """What a project has for the target; None where no index has it."""
        if name not in self._offers:
            self._offers.setdefault(name, self._fetch(name))
        return self._offers[name]

    def keep(self, name: NormalizedName, offers: Candidates) -> Candidates:
        """Remembers offers that were made ahead, unless there are some already; gives those that count."""
        return self._offers.setdefault(name, offers) or offers

    def specifier(self, name: NormalizedName, demands: Iterable[Demand]) -> SpecifierSet:
        """What demands and the constraints on a project together ask of its version."""
        return combined((*demands, *self.constraints_on(name)))

    def violated(self, one: PairVersion, other: PairVersion) -> tuple[Rule, ...]:
        """The rules that exclude two versions from standing together."""
        rules, target = self.question.rules, self.question.target
        return rules.violated(one.name, one.version, other.name, other.version, target)

    def matching(self, name: NormalizedName, specifier: SpecifierSet, *, pre: bool = False) -> Iterable[Version]:
        """The versions of a project that a specifier admits, newest first, each found out once.

        Pre-releases count where `pre` is true, and else as the question has it.
        """
        offers = self.offers(name)
        if offers is None:
            return ()
        key = name, str(specifier), pre or self.question.policy.prereleases(name)
        if key not in self._admitted:
            self._admitted[key] = _Admitted(offers.matching(specifier, pre=key[2]))
        return self._admitted[key]

    def usable(self, name: NormalizedName, version: Version) -> bool:
        """Whether a version still has a file that did not refuse itself."""
        offers = self.offers(name)
        return offers is not None and any(file not in self.refused for _, file in offers.files(version))
