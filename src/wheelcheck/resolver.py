"""Chooses one file a project for one target, and keeps all that was said on the way.

resolvelib drives; what may be used is `verdicts.Judge`'s to say. Order of preference, pre-releases, withdrawn files and
extras follow pip. Rules enter in three places: files that they forbid are never offered, requirements that they add are
demands like any other, and a pair that they exclude meets on a virtual identifier of its own, so that neither project
drags the other in.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol, TypeAlias

import resolvelib
from packaging.markers import UndefinedComparison
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version
from resolvelib.resolvers import RequirementInformation, ResolutionImpossible, ResolutionTooDeep

from wheelcheck.conflicts import Cause, Ledger, Standing, explain
from wheelcheck.distributions import Listed, Metadata, ProjectPage, UnreadableFile, direct_file
from wheelcheck.failures import TimedOut
from wheelcheck.offers import Offers, combined, is_bounded_above, is_pinned
from wheelcheck.outcomes import (
    AddedByRule,
    Candidate,
    Demand,
    HeldBack,
    NeededBy,
    Origin,
    Outcome,
    Pin,
    Solution,
)
from wheelcheck.rules import NO_RULES, Rule, Rules
from wheelcheck.targets import Target
from wheelcheck.verdicts import BadMetadata, HashMismatch, Judge, RequiresPython

MOST_ROUNDS = 200_000
OFTEN = 5
"""Clashes after which a project is settled before others, as in pip."""


class Supply(Protocol):
    """Where pages and metadata come from; `start_*` only says what will probably be asked for next."""

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Begins to fetch a page; `then` is called with it in a worker."""

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """The page, or None where no index has the project."""

    def start_metadata(self, file: Listed) -> None:
        """Begins to read the metadata of a file."""

    def metadata(self, file: Listed) -> Metadata | BadMetadata | HashMismatch:
        """The metadata of a file, or why it refuses the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How to choose, beyond what is demanded.

    Attributes:
        pre: whether pre-releases are wanted everywhere.
        no_deps: whether requirements of files are left aside.
        resolution: ``highest``, ``lowest``, or ``lowest-direct``: the lowest of what the user asked for only.
    """

    pre: bool = False
    no_deps: bool = False
    resolution: str = "highest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for one target: demands of the user, constraints, rules and policy."""

    target: Target
    demands: tuple[Demand, ...]
    constraints: tuple[Demand, ...] = ()
    rules: Rules = NO_RULES
    policy: Policy = field(default_factory=Policy)


def resolve(question: Question, supply: Supply) -> Outcome:
    """The answer to a question, or why there is none.

    Raises:
        CannotTell: a page or the metadata of a file that was needed is out of reach.
    """
    return _Resolution(question, supply).outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tie:
    """An extra's demand on its own project: the same version."""

    candidate: Candidate

    @property
    def key(self) -> str:
        return self.candidate.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """What a candidate asks for whose metadata turned out to refuse it: nothing can satisfy it."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The agreement of two projects that rules bind."""

    key: str


_Ask: TypeAlias = "Demand | _Tie | Standing | _Refusal"
_Choice: TypeAlias = "Candidate | _Pair"
_Information: TypeAlias = "Mapping[str, Iterator[RequirementInformation[_Ask, _Choice]]]"


class _Resolution(resolvelib.AbstractProvider["_Ask", "_Choice", str]):
    """One run of resolvelib over one question."""

    def __init__(self, question: Question, supply: Supply) -> None:
        self.question = question
        self.supply = supply
        self.target = question.target
        self.rules = question.rules
        self.judge = Judge(question.target, question.rules)
        self.ledger = Ledger(question.target, question.rules, self._fetch_offers, question.constraints)
        self._given = {
            demand.name: demand.requirement.url
            for demand in (*question.constraints, *question.demands)
            if demand.requirement.url
        }
        self._order = {demand.key: place for place, demand in reversed(list(enumerate(question.demands)))}
        self._asks: dict[Candidate, tuple[_Ask, ...]] = {}
        self._foreseen: set[NormalizedName] = set()
        self._clashes: dict[str, int] = {}

    # what resolvelib asks of a provider

    def identify(self, requirement_or_candidate: _Ask | _Choice) -> str:
        return requirement_or_candidate.key

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, _Choice],
        candidates: Mapping[str, Iterator[_Choice]],
        information: _Information,
        backtrack_causes: Sequence[RequirementInformation[_Ask, _Choice]],
    ) -> tuple[Any, ...]:
        """As pip: what often clashes, then pinned, then bounded above, then in the order asked for, then not free."""
        asks = [info.requirement for info in information[identifier]]
        specifier = combined(ask for ask in asks if isinstance(ask, Demand))
        return (
            all(isinstance(ask, Demand | _Tie) for ask in asks),
            self._clashes.get(identifier, 0) < OFTEN,
            not (is_pinned(specifier) or any(isinstance(ask, _Tie) for ask in asks)),
            not is_bounded_above(specifier),
            self._order.get(identifier, len(self._order)),
            not specifier,
            identifier,
        )

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, _Choice],
        candidates: Mapping[str, Iterator[_Choice]],
        information: _Information,
        backtrack_causes: Sequence[RequirementInformation[_Ask, _Choice]],
    ) -> Iterable[str]:
        """What clashed last comes first, since nothing can be settled before it; then what clashes often."""
        identifiers = list(identifiers)
        clashed = {info.requirement.key for info in backtrack_causes}
        clashed |= {info.parent.key for info in backtrack_causes if info.parent is not None}
        for key in clashed - resolutions.keys():
            self._clashes[key] = self._clashes.get(key, 0) + 1
        often = [key for key in identifiers if self._clashes.get(key, 0) >= OFTEN]
        return [key for key in identifiers if key in clashed] or often or identifiers

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[_Ask]],
        incompatibilities: Mapping[str, Iterator[_Choice]],
    ) -> list[_Choice] | Callable[[], Iterator[_Choice]]:
        asks = list(requirements[identifier])
        match asks[0]:
            case _Refusal():
                return []
            case Standing():
                return self._agreement(identifier, [ask for ask in asks if isinstance(ask, Standing)])
        name, extra = _split_key(identifier)
        if extra is not None:
            asks.extend(requirements[name])
        excluded = {choice.version for choice in incompatibilities[identifier] if isinstance(choice, Candidate)}
        return lambda: self._candidates(name, extra, asks, excluded)

    def is_satisfied_by(self, requirement: _Ask, candidate: _Choice) -> bool:
        match requirement, candidate:
            case _Tie(), Candidate():
                return requirement.candidate.version == candidate.version
            case Demand(), Candidate():
                return requirement.requirement.specifier.contains(candidate.version, prereleases=True)
        return isinstance(candidate, _Pair)

    def get_dependencies(self, candidate: _Choice) -> tuple[_Ask, ...]:
        if isinstance(candidate, _Pair):
            return ()
        if candidate not in self._asks:
            self._asks[candidate] = tuple(self._list_asks(candidate))
            self._foresee(self._asks[candidate])
        return self._asks[candidate]

    # candidates

    def _agreement(self, key: str, standings: Sequence[Standing]) -> list[_Choice]:
        """One agreement, unless a rule excludes two of the versions that stand."""
        pairs = ((one, other) for one in standings for other in standings if one.name < other.name)
        return [] if any(self.ledger.violated(*pair) for pair in pairs) else [_Pair(key=key)]

    def _versions(self, name: NormalizedName, asks: Sequence[_Ask]) -> Iterable[Version]:
        """The versions that meet everything that is asked, best first."""
        offers = self.ledger.offers(name)
        if offers is None:
            return ()
        specifier = self.ledger.specifier(name, (ask for ask in asks if isinstance(ask, Demand)))
        ties = [ask.candidate.version for ask in asks if isinstance(ask, _Tie)]
        matching = offers.matching(specifier, pre=self.question.policy.pre or bool(ties))
        found = (version for version in matching if all(version == tied for tied in ties))
        return reversed(list(found)) if self._wants_lowest(name) else found

    def _wants_lowest(self, name: NormalizedName) -> bool:
        resolution = self.question.policy.resolution
        return resolution == "lowest" or (resolution == "lowest-direct" and name in self._order)

    def _candidates(
        self, name: NormalizedName, extra: NormalizedName | None, asks: Sequence[_Ask], excluded: Container[Version]
    ) -> Iterator[Candidate]:
        """A candidate for each version: its best file, or the next one where that turns out to refuse itself."""
        offers = self.ledger.offers(name)
        for version in self._versions(name, asks):
            for rank, file in offers.files(version) if offers and version not in excluded else ():
                if file not in self.ledger.refused:
                    yield Candidate(name=name, version=version, file=file, rank=rank, extra=extra)
                    if file not in self.ledger.refused:
                        break

    def _fetch_offers(self, name: NormalizedName) -> Offers | None:
        page = self._page(name)
        return None if page is None else Offers(page, self.judge, self._wanted_hashes(name))

    def _page(self, name: NormalizedName) -> ProjectPage | None:
        """What there is of a project: the one file that the user gives for it, else what the indexes list."""
        url = self._given.get(name)
        if url is None:
            return self.supply.page(name)
        file = direct_file(url, name)
        return (
            ProjectPage(name=name, unreadable=[file])
            if isinstance(file, UnreadableFile)
            else ProjectPage(name=name, files=[file])
        )

    def _wanted_hashes(self, name: NormalizedName) -> frozenset[str] | None:
        """The digests that all who give some for a project agree on; None where nobody gives any."""
        asked = (*self.question.demands, *self.question.constraints)
        given = [frozenset(demand.hashes) for demand in asked if demand.name == name and demand.hashes]
        return frozenset.intersection(*given) if given else None

    # what a candidate asks for

    def _list_asks(self, candidate: Candidate) -> Iterator[_Ask]:
        if candidate.extra is not None:
            yield _Tie(candidate=candidate)
        if not self.question.policy.no_deps:
            yield from self._needs(candidate)
        if candidate.extra is None:
            yield from self._asks_of_rules(candidate)

    def _needs(self, candidate: Candidate) -> Iterator[_Ask]:
        needed = self._requirements(candidate)
        if not isinstance(needed, tuple):
            self.ledger.refused[candidate.file] = needed
            yield _Refusal(key=f"the metadata of {candidate.file.filename}")
            return
        origin = NeededBy(name=candidate.name, version=candidate.version, filename=candidate.file.filename)
        for requirement in needed:
            yield from self._recorded(requirement, origin)

    def _requirements(
        self, candidate: Candidate
    ) -> tuple[Requirement, ...] | BadMetadata | HashMismatch | RequiresPython:
        """What the metadata of a candidate's file asks for on the target, or why it refuses the file."""
        metadata = self.supply.metadata(candidate.file)
        if not isinstance(metadata, Metadata):
            return metadata
        if not self.judge.accepts_python(metadata.requires_python):
            return RequiresPython(specifier=metadata.requires_python or "", python=self.target.python)
        try:
            needed = tuple(r for r in metadata.requires_dist if applies(r, self.target, candidate.extra))
        except UndefinedComparison as error:
            return BadMetadata(why=f"one of its markers compares what cannot be compared ({error})")
        elsewhere = next((r for r in needed if r.url and canonicalize_name(r.name) not in self._given), None)
        if elsewhere is not None:
            return BadMetadata(why=f"it needs {elsewhere.name} from a place of its own, which only the user may name")
        return needed

    def _asks_of_rules(self, candidate: Candidate) -> Iterator[_Ask]:
        name, version = candidate.name, candidate.version
        for rule, requirement in self.rules.requiring(name, version, self.target):
            yield from self._recorded(requirement, AddedByRule(rule=rule, name=name, version=version))
        for partner in sorted(self.rules.partners(name)):
            yield Standing(key=" with ".join(sorted((name, partner))), name=name, version=version)

    def _recorded(self, requirement: Requirement, origin: Origin) -> Iterator[Demand]:
        for demand in Demand(requirement=requirement, origin=origin).by_extra():
            self.ledger.record(demand)
            yield demand

    # what will probably be asked for next

    def _foresee(self, asks: Iterable[_Ask]) -> None:
        for ask in asks:
            if isinstance(ask, Demand) and ask.name not in self._foreseen and ask.name not in self._given:
                self._foreseen.add(ask.name)
                self.supply.start_page(ask.name, self._foresee_winner)

    def _foresee_winner(self, page: ProjectPage) -> None:
        """In a worker, when a page has come: begin to read the metadata of the file that wins as things stand."""
        offers = self.ledger.keep(page.name, Offers(page, self.judge, self._wanted_hashes(page.name)))
        specifier = self.ledger.specifier(page.name, self.ledger.demands_on(page.name))
        version = next(offers.matching(specifier, pre=self.question.policy.pre), None)
        if version is not None:
            self.supply.start_metadata(offers.files(version)[0][1])

    # the run

    def outcome(self) -> Outcome:
        """Runs resolvelib once and tells what came of it."""
        roots = [part for demand in self.question.demands for part in demand.by_extra()]
        for demand in roots:
            self.ledger.record(demand)
        self._foresee(roots)
        reporter = _FirstClash()
        try:
            result = resolvelib.Resolver(self, reporter).resolve(roots, max_rounds=MOST_ROUNDS)
        except ResolutionImpossible as impossible:
            return explain(self.ledger, [_cause(info) for info in reporter.causes or impossible.causes])
        except ResolutionTooDeep:
            raise TimedOut(f"Choosing among the versions of {', '.join(sorted(self._clashes))}", 0) from None
        return self._solution(result)

    def _solution(self, result: Any) -> Solution:
        chosen = {choice.key: choice for choice in result.mapping.values() if isinstance(choice, Candidate)}
        demands: dict[NormalizedName, list[Demand]] = {}
        for key, choice in chosen.items():
            information = (info.requirement for info in result.criteria[key].information)
            demands.setdefault(choice.name, []).extend(ask for ask in information if isinstance(ask, Demand))
        plain = {choice.name: choice for choice in chosen.values() if choice.extra is None}
        held_back = {held.name: held for held in self._held_back(plain, demands)}
        pins = tuple(
            Pin(
                name=name,
                version=candidate.version,
                extras=tuple(sorted(c.extra for c in chosen.values() if c.name == name and c.extra)),
                file=candidate.file,
                rank=candidate.rank,
                demands=tuple(dict.fromkeys(demands[name])),
                rules=held_back[name].rules if name in held_back else (),
            )
            for name, candidate in sorted(plain.items())
        )
        return Solution(pins=pins, held_back=tuple(held_back.values()))

    # where rules decided

    def _held_back(
        self, chosen: Mapping[NormalizedName, Candidate], demands: Mapping[NormalizedName, Sequence[Demand]]
    ) -> Iterator[HeldBack]:
        for name, candidate in sorted(chosen.items()):
            against = self._ruled_out(candidate, demands[name], chosen)
            if against:
                newest = max(against)
                rules = against[newest]
                yield HeldBack(name=name, chosen=candidate.version, instead_of=newest, rules=rules)

    def _ruled_out(
        self, candidate: Candidate, demands: Sequence[Demand], chosen: Mapping[NormalizedName, Candidate]
    ) -> dict[Version, tuple[Rule, ...]]:
        """Versions newer than the chosen one that only rules keep out, with those rules."""
        name = candidate.name
        free = [demand for demand in demands if not isinstance(demand.origin, AddedByRule)]
        touched = len(free) < len(demands) or name in self.rules.projects or self.rules.partners(name)
        page = self._page(name) if touched else None
        if page is None:
            return {}
        unruled = Offers(page, Judge(self.target), self._wanted_hashes(name))
        allowed = unruled.matching(self.ledger.specifier(name, free), pre=self.question.policy.pre)
        newer = takewhile(lambda version: version > candidate.version, allowed)
        against = {version: self._rules_against(name, version, demands, chosen) for version in newer}
        return {version: rules for version, rules in against.items() if rules}

    def _rules_against(
        self,
        name: NormalizedName,
        version: Version,
        demands: Iterable[Demand],
        chosen: Mapping[NormalizedName, Candidate],
    ) -> tuple[Rule, ...]:
        found = [*self.rules.forbidding(name, version, self.target)]
        found += (
            demand.origin.rule
            for demand in demands
            if isinstance(demand.origin, AddedByRule) and not demand.requirement.specifier.contains(version, True)
        )
        for partner in self.rules.partners(name) & chosen.keys():
            found += self.rules.violated(name, version, partner, chosen[partner].version, self.target)
        return tuple(dict.fromkeys(found))


class _FirstClash(resolvelib.BaseReporter["_Ask", "_Choice", str]):
    """Keeps the causes of the first clash, which speak of what would be chosen; resolvelib keeps those of the last."""

    def __init__(self) -> None:
        self.causes: tuple[RequirementInformation[_Ask, _Choice], ...] = ()

    def resolving_conflicts(self, causes: Iterable[RequirementInformation[_Ask, _Choice]]) -> None:
        self.causes = self.causes or tuple(causes)


def applies(requirement: Requirement, target: Target, extra: str | None = None) -> bool:
    """Whether a requirement holds for a target; with an extra, whether it holds on account of that extra.

    Raises:
        UndefinedComparison: its marker compares what cannot be compared.
    """
    if requirement.marker is None:
        return extra is None
    return requirement.marker.evaluate({**target.environment, "extra": extra or ""})


def _split_key(key: str) -> tuple[NormalizedName, NormalizedName | None]:
    name, _, rest = key.partition("[")
    return canonicalize_name(name), canonicalize_name(rest[:-1]) if rest else None


def _cause(info: RequirementInformation[_Ask, _Choice]) -> Cause:
    """A cause in the words of the explanation, which knows nothing of this module's private asks."""
    ask = info.requirement if isinstance(info.requirement, Demand | Standing) else None
    return Cause(ask=ask, parent=info.parent if isinstance(info.parent, Candidate) else None)
