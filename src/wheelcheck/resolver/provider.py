"""The resolvelib provider: chooses one file a project for one target, and records what happened.

The order of preference, pre-releases, yanked files and extras follow pip. Rules enter in three places: files that they
forbid are never candidates, requirements that they add are demands like any other, and a pair that they exclude meets
in a virtual identifier, so that neither project pulls in the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import resolvelib
from packaging.version import Version
from resolvelib.resolvers import RequirementInformation, ResolutionImpossible, ResolutionTooDeep

from wheelcheck.common.errors import UndeterminedError, Unreadable
from wheelcheck.common.records import record, replace
from wheelcheck.resolver.backtracking import Search, StepByStep
from wheelcheck.resolver.candidates import Candidates, is_bounded_above, is_pinned
from wheelcheck.resolver.compatibility import Judge, RequiresPython
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import (
    AddedByRule,
    Candidate,
    Demand,
    Distribution,
    HeldBack,
    Installed,
    NeededBy,
    Origin,
    Pin,
    Policy,
    Question,
    Solution,
)
from wheelcheck.resolver.prefetch import Prefetcher
from wheelcheck.resolver.state import Cause, PairVersion, ResolutionState
from wheelcheck.standards.core_metadata import Metadata, MetadataError, parse_metadata
from wheelcheck.standards.file_problems import (
    BadMetadata,
    DynamicMetadata,
    FileRefusedError,
    HashMismatch,
    NotListed,
    ends_search,
)
from wheelcheck.standards.markers import UndecidableMarker, applies, marker_text
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import ProjectPage, UnreadableFile, Wheel
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.standards.specifiers import specifiers_of, together
from wheelcheck.targets.platform import PYTHON
from wheelcheck.targets.target import other_micros

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from wheelcheck.resolver.model import PackageIndex
    from wheelcheck.resolver.pruning import Pruning

MAX_ROUNDS = 200_000
MAX_ROUNDS_MORE = 10_000
"""Maximum rounds of the thorough search, which may go in circles."""
MAX_CLASHES = 1_000
MAX_MET = 2_000
"""Maximum number of projects and of extras that one search meets; an answer has a few hundred."""
MAX_EXTRAS_MET = 300
"""Maximum number of extras of one project that a search meets."""
MAX_ON_ONE_PROJECT = 200
"""Maximum number of requirements of one file on one project that apply to a target."""
UNKNOWN_ELSEWHERE = ("platform_release", "platform_version")
"""Marker variables that are unknown for a machine that is not this one."""
DECIDED_BY_MICRO = ("python_full_version", "implementation_version")
"""Marker variables that depend on the micro version of Python."""

MANY = 500
"""The number of files tried in vain after which pruning starts; until then the search is pip's."""
MANY_CONFLICTS = 5
"""The number of conflicts after which a project is resolved before others, as in pip."""


@record
class _Tie:
    """The demand of an extra on its own project: the same version."""

    candidate: Candidate

    @property
    def key(self) -> str:
        return self.candidate.name


@record
class _Refusal:
    """The demand of a candidate whose metadata rejects it: nothing can satisfy it."""

    key: str


@record
class _Pair:
    """The agreement between two projects that rules connect.

    Attributes:
        versions: those that agree; only one where the other project is not in the answer yet.
    """

    key: str
    versions: tuple[PairVersion, ...]


class _Preference(NamedTuple):
    """What a demand means for the order in which projects are resolved."""

    on_versions: bool
    pins: bool
    bounds: bool
    restricts: bool


_Dependency: TypeAlias = "Demand | _Tie | PairVersion | _Refusal"
_Choice: TypeAlias = "Candidate | _Pair"
_Information: TypeAlias = "Mapping[str, Iterator[RequirementInformation[_Dependency, _Choice]]]"


class Run(resolvelib.AbstractProvider["_Dependency", "_Choice", str]):
    """One run of resolvelib over one question.

    Args:
        question: what is asked.
        index: where pages and metadata come from.
        budget: counts the work, and limits it.

    Attributes:
        clashes: the conflicts that it backtracked from.
        state: what the resolution recorded.
    """

    def __init__(self, question: Question, index: PackageIndex, budget: Budget) -> None:
        self.question = question
        self.index = index
        self.budget = budget
        self.target = question.target
        self.rules = question.rules
        self.judge = Judge(question.target, question.rules, any_python=question.policy.ignore_requires_python)
        self.state = ResolutionState(question, lambda name: self._fetch_candidates(name, self.judge))
        self._named_urls = {
            demand.name: demand.requirement.url
            for demand in (*question.constraints, *question.demands)
            if demand.requirement.url
        }
        self._order = {demand.key: place for place, demand in reversed(list(enumerate(question.demands)))}
        self._dependencies: dict[_Choice, tuple[_Dependency, ...]] = {}
        kept = {
            name for name in question.environment.distributions if name not in self._named_urls and self._keeps(name)
        }
        self._prefetcher = Prefetcher(
            question, index, self.state, lambda page: self._candidates_on(page, self.judge), {*self._named_urls, *kept}
        )
        self.clashes: list[tuple[Cause, ...]] = []
        self._rejected_count = 0
        self._prunes_at = MANY
        self._projects_met: set[NormalizedName] = set()
        self._met: set[str] = set()
        self._extras_met: Counter[str] = Counter()
        self._pruning: Pruning | None = None
        self._conflict_counts: dict[str, int] = {}
        self._preferences: dict[int, _Preference] = {}
        self._kept: list[object] = []  # what is known by its identity must not pass it on
        self._collect_nested_urls()

    # what resolvelib requires of a provider

    def identify(self, requirement_or_candidate: _Dependency | _Choice) -> str:
        return requirement_or_candidate.key

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, _Choice],
        candidates: Mapping[str, Iterator[_Choice]],
        information: _Information,
        backtrack_causes: Sequence[RequirementInformation[_Dependency, _Choice]],
    ) -> tuple[Any, ...]:
        """Prefer, as pip does, what conflicts often, then pinned, then bounded above, then in requested order, then
        free.
        """
        dependencies = [self._preference(info.requirement) for info in information[identifier]]
        return (
            all(dependency.on_versions for dependency in dependencies),
            self._conflict_counts.get(identifier, 0) < MANY_CONFLICTS,
            not any(dependency.pins for dependency in dependencies),
            not any(dependency.bounds for dependency in dependencies),
            self._order.get(identifier, len(self._order)),
            not any(dependency.restricts for dependency in dependencies),
            identifier,
        )

    def _preference(self, dependency: _Dependency) -> _Preference:
        """Return what a demand means for the order; cached, since resolvelib asks in every round."""
        found = self._preferences.get(id(dependency))
        if found is None:
            found = self._preferences[id(dependency)] = _preference_of(dependency)
            self._kept.append(dependency)
        return found

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, _Choice],
        candidates: Mapping[str, Iterator[_Choice]],
        information: _Information,
        backtrack_causes: Sequence[RequirementInformation[_Dependency, _Choice]],
    ) -> Iterable[str]:
        """Resolve the causes of the last conflict first, since nothing can be pinned before them; then what conflicts
        often.
        """
        identifiers = list(identifiers)
        clashed = {info.requirement.key for info in backtrack_causes}
        clashed |= {info.parent.key for info in backtrack_causes if info.parent is not None}
        for key in clashed - resolutions.keys():
            self._conflict_counts[key] = self._conflict_counts.get(key, 0) + 1
        often = [key for key in identifiers if self._conflict_counts.get(key, 0) >= MANY_CONFLICTS]
        return [key for key in identifiers if key in clashed] or often or identifiers

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[_Dependency]],
        incompatibilities: Mapping[str, Iterator[_Choice]],
    ) -> list[_Choice] | Callable[[], Iterator[_Choice]]:
        if identifier not in self._met:
            self._met.add(identifier)
            self._extras_met[identifier.partition("[")[0]] += 1
            if len(self._met) > MAX_MET or self._extras_met[identifier.partition("[")[0]] > MAX_EXTRAS_MET:
                raise self.budget.timed_out()
        dependencies = list(requirements[identifier])
        if not dependencies:
            return []
        match dependencies[0]:
            case _Refusal():
                return []
            case PairVersion():
                pair_versions = [dependency for dependency in dependencies if isinstance(dependency, PairVersion)]
                return [] if any(incompatibilities[identifier]) else self._agreement(identifier, pair_versions)
        name, extra = _split_key(identifier)
        if extra is not None:
            dependencies.extend(requirements[name])
        excluded = {id(choice.version) for choice in incompatibilities[identifier] if isinstance(choice, Candidate)}
        return lambda: self._candidates(name, extra, dependencies, excluded)

    def is_satisfied_by(self, requirement: _Dependency, candidate: _Choice) -> bool:
        match requirement, candidate:
            case _Tie(), Candidate():
                return requirement.candidate.version == candidate.version
            case Demand(), Candidate():
                return requirement.requirement.specifier.contains(candidate.version, prereleases=True)
        return isinstance(candidate, _Pair) and requirement in candidate.versions

    def get_dependencies(self, candidate: _Choice) -> tuple[_Dependency, ...]:
        if candidate not in self._dependencies:
            listed = self._added_by(candidate) if isinstance(candidate, _Pair) else self._list_dependencies(candidate)
            self._dependencies[candidate] = tuple(listed)
            self._prefetcher.expect(demand.name for demand in _demands_in(self._dependencies[candidate]))
        dependencies = self._dependencies[candidate]
        if isinstance(candidate, _Pair):
            return dependencies
        if self._pruning and self._pruning.rule_out(candidate.name, candidate.version, _demands_in(dependencies)):
            return (*dependencies, _Refusal(key=f"an answer with {candidate.file.filename}"))
        return dependencies

    # candidates

    def _agreement(self, key: str, pair_versions: Sequence[PairVersion]) -> list[_Choice]:
        """Return the agreement between two versions, unless a rule excludes the pair."""
        pairs = ((one, other) for one in pair_versions for other in pair_versions if one.name < other.name)
        if any(self.state.violated(*pair) for pair in pairs):
            return []
        return [_Pair(key=key, versions=tuple(sorted(dict.fromkeys(pair_versions), key=lambda one: one.name)))]

    def _specifier(
        self, name: NormalizedName, dependencies: Sequence[_Dependency]
    ) -> tuple[SpecifierSet, set[Version]]:
        """Return what all demands admit, and the versions that extras are tied to."""
        specifier = self.state.specifier(
            name, (dependency for dependency in dependencies if isinstance(dependency, Demand))
        )
        ties = {dependency.candidate.version for dependency in dependencies if isinstance(dependency, _Tie)}
        return together([specifier, *(specifiers_of(f"=={tied}") for tied in ties)]), ties

    def _versions(self, name: NormalizedName, dependencies: Sequence[_Dependency]) -> Iterable[Version]:
        """Yield the versions that meet all demands, best first."""
        candidates = self.state.candidates(name)
        self._projects_met.add(name)
        if candidates is None:
            return ()
        specifier, ties = self._specifier(name, dependencies)
        matching = self.state.matching(name, specifier, pre=bool(ties))
        found = (version for version in matching if {version} == ties) if ties else matching
        ordered = reversed(list(found)) if self.wants_lowest(name) else found
        policy = self.question.policy
        return (
            sorted(ordered, key=candidates.is_source_only) if policy.allow_sdists and policy.prefer_binary else ordered
        )

    def wants_lowest(self, name: NormalizedName) -> bool:
        """Return whether the oldest version of a project is preferred."""
        resolution = self.question.policy.resolution
        return resolution == "lowest" or (resolution == "lowest-direct" and name in self._order)

    def _candidates(
        self,
        name: NormalizedName,
        extra: NormalizedName | None,
        dependencies: Sequence[_Dependency],
        excluded: Container[int],
    ) -> Iterator[Candidate]:
        """Yield what is installed and what is listed, in pip's order.

        Where no upgrade is wanted, what is installed comes first, and the index is asked only if that does not do.
        Otherwise it comes before what is listed in the same or an older version.
        """
        installed = self._installed(name, extra, dependencies, excluded)
        if installed is None:
            yield from self._listed(name, extra, dependencies, excluded)
            return
        keeps = self._keeps(name)
        waiting = True
        if keeps:
            yield installed
            waiting = False
        for candidate in self._listed(name, extra, dependencies, excluded):
            if waiting and installed.version >= candidate.version:
                yield installed
                waiting = False
            if not keeps or candidate.version != installed.version:
                yield candidate
        if waiting:
            yield installed

    def _keeps(self, name: NormalizedName) -> bool:
        """Return whether pip prefers what is installed of a project to what is newer."""
        strategy = self.question.environment.upgrade_strategy
        return strategy != "eager" and not (strategy == "only-if-needed" and name in self._order)

    def _installed(
        self,
        name: NormalizedName,
        extra: NormalizedName | None,
        dependencies: Sequence[_Dependency],
        excluded: Container[int],
    ) -> Candidate | None:
        """Return what is installed of a project, if all demands admit it."""
        found = self.question.environment.distributions.get(name)
        if found is None or name in self._named_urls or id(found.version) in excluded:
            return None
        specifier, ties = self._specifier(name, dependencies)
        if not specifier.contains(found.version, prereleases=True) or ties - {found.version}:
            return None
        stands_for = Wheel(
            filename=f"{name} {found.version} (installed)", name=name, version=found.version, url="", tags=""
        )
        return Candidate(name=name, version=found.version, file=stands_for, rank=0, extra=extra, installed=found)

    def _listed(
        self,
        name: NormalizedName,
        extra: NormalizedName | None,
        dependencies: Sequence[_Dependency],
        excluded: Container[int],
    ) -> Iterator[Candidate]:
        """Yield a candidate for each version: its best file, or the next one where that is rejected by its metadata.

        Excluded versions are compared by identity, which a page preserves, since comparing versions is slow.
        """
        candidates = self.state.candidates(name)
        for version in self._versions(name, dependencies):
            for rank, file in candidates.files(version) if candidates and id(version) not in excluded else ():
                if file not in self.state.refused:
                    yield Candidate(name=name, version=version, file=file, rank=rank, extra=extra)
                    if file not in self.state.refused:
                        break

    def _fetch_candidates(self, name: NormalizedName, judge: Judge) -> Candidates | None:
        page = self._page(name)
        return None if page is None else self._candidates_on(page, judge)

    def _candidates_on(self, page: ProjectPage, judge: Judge) -> Candidates:
        return Candidates(page, judge, self._policy(page.name), self._wanted_hashes(page.name))

    def _policy(self, name: NormalizedName) -> Policy:
        """Return the policy for a project; a file that the user names is accepted whatever the options say, as in
        pip.
        """
        policy = self.question.policy
        if name not in self._named_urls:
            return policy
        return replace(policy, allow_sdists=True, only_binary=frozenset(), no_binary=frozenset())

    def _page(self, name: NormalizedName) -> ProjectPage | None:
        """Return the page of a project: the one file that the user names for it, or what the indexes list."""
        url = self._named_urls.get(name)
        if url is None:
            self.budget.awaited = f"the page of {name}"
            page = self.index.page(name)
            self.budget.awaited = None
            return page
        file = self.index.direct(url, name, self._wanted_hashes(name) or ())
        if isinstance(file, UnreadableFile):
            return ProjectPage(name=name, unreadable=[file])
        return ProjectPage(name=name, files=[file])

    def _wanted_hashes(self, name: NormalizedName) -> frozenset[str] | None:
        """Return the hashes common to all demands that give some for a project; None where none does."""
        asked = (*self.question.demands, *self.question.constraints)
        given = [frozenset(demand.hashes) for demand in asked if demand.name == name and demand.hashes]
        if not given and self.question.policy.require_hashes:
            return frozenset()
        return frozenset.intersection(*given) if given else None

    def _collect_nested_urls(self) -> None:
        """Collect direct URLs required by user-supplied files, as pip does."""
        demands = self.question.demands if not self.question.policy.no_deps else ()
        waiting = [part.key for demand in demands if demand.name in self._named_urls for part in demand.by_extra()]
        seen: set[str] = set()
        while waiting:
            key = waiting.pop()
            for requirement in self._needs_of_named(*_split_key(key)) if key not in seen else ():
                name = canonicalize_name(requirement.name)
                if requirement.url:
                    self._named_urls.setdefault(name, requirement.url)
                if name in self._named_urls:
                    waiting += [name, *(f"{name}[{canonicalize_name(extra)}]" for extra in requirement.extras)]
            seen.add(key)

    def _needs_of_named(self, name: NormalizedName, extra: NormalizedName | None) -> Sequence[Requirement]:
        candidates = self.state.candidates(name)
        version = next(candidates.versions, None) if candidates else None
        metadata = self.index.metadata(candidates.files(version)[0][1]) if candidates and version else None
        try:
            return [
                r
                for r in (metadata.requires_dist if isinstance(metadata, Metadata) else ())
                if applies(r, self.target, extra)
            ]
        except UndecidableMarker:
            return ()

    # what a candidate requires

    def _list_dependencies(self, candidate: Candidate) -> Iterator[_Dependency]:
        if candidate.extra is not None:
            yield _Tie(candidate=candidate)
        yield from self._needs(candidate)
        if candidate.extra is None:
            name, version = candidate.name, candidate.version
            for partner in sorted(self.rules.partners(name)):
                yield PairVersion(key=" with ".join(sorted((name, partner))), name=name, version=version)

    def _needs(self, candidate: Candidate) -> Iterator[_Dependency]:
        needed = self._requirements(candidate)
        if not isinstance(needed, tuple):
            self.state.refused[candidate.file] = needed
            yield _Refusal(key=f"the metadata of {candidate.file.filename}")
            return
        origin = _origin_of(candidate)
        if self.question.policy.no_deps:
            return
        for requirement in needed:
            yield from self._recorded(requirement, origin)
        if candidate.extra is None:
            name, version = candidate.name, candidate.version
            for rule, requirement in self.rules.requiring(name, version, self.target, {}):
                yield from self._recorded(requirement, AddedByRule(rule=rule, name=name, version=version))

    def _added_by(self, pair: _Pair) -> Iterator[_Dependency]:
        """Yield what rules require of two versions together."""
        for one, other in permutations(pair.versions if not self.question.policy.no_deps else (), 2):
            added = self.rules.requiring_beside(one.name, one.version, other.name, other.version, self.target)
            for rule, requirement in added:
                yield from self._recorded(requirement, AddedByRule(rule=rule, name=one.name, version=one.version))

    def _requirements(
        self, candidate: Candidate
    ) -> tuple[Requirement, ...] | BadMetadata | HashMismatch | NotListed | RequiresPython:
        """Return the requirements in the metadata of a candidate's file for the target, or why it rejects the file."""
        if candidate.installed is not None:
            return self._requirements_of_installed(candidate.installed, candidate.extra)
        self._check_hashes(candidate)
        self.budget.read(candidate.file)
        self.budget.awaited = f"the metadata of {candidate.file.filename}"
        metadata = self.index.metadata(candidate.file)
        self.budget.awaited = None
        if isinstance(metadata, DynamicMetadata):
            raise Unreadable.dynamic(candidate.file.filename, metadata.fields)
        if ends_search(metadata):
            assert isinstance(metadata, BadMetadata | HashMismatch)
            raise FileRefusedError(candidate.file, metadata)
        if not isinstance(metadata, Metadata):
            return metadata
        if not self.judge.accepts_python(metadata.requires_python):
            return RequiresPython(specifier=metadata.requires_python or "", python=self.target.python)
        return self._requirements_in(metadata, candidate.extra)

    def _check_hashes(self, candidate: Candidate) -> None:
        """Raise where hashes were given of kinds that its index does not publish of a file."""
        candidates = self.state.candidates(candidate.name)
        uncompared = candidates.uncompared(candidate.file) if candidates else ()
        if uncompared:
            kinds = " or ".join(sorted(uncompared))
            why = f"its index publishes no {kinds} hash to compare with the given one"
            raise Unreadable(candidate.file.filename, why)

    def _requirements_in(
        self, metadata: Metadata, extra: NormalizedName | None
    ) -> tuple[Requirement, ...] | BadMetadata:
        if extra not in metadata.extras:  # as in pip, what it requires for an extra that it lacks is nobody's
            extra = None
        try:
            needed = tuple(r for r in metadata.requires_dist if applies(r, self.target, extra))
        except UndecidableMarker as error:
            return BadMetadata(why=f"one of its markers cannot be evaluated ({error})")
        if len(needed) > MAX_ON_ONE_PROJECT:
            name, number = Counter(canonicalize_name(r.name) for r in needed).most_common(1)[0]
            if number > MAX_ON_ONE_PROJECT:
                return BadMetadata(why=f"it has more than {MAX_ON_ONE_PROJECT} requirements on {name}")
        elsewhere = next(
            (r for r in needed if r.url and r.url != self._named_urls.get(canonicalize_name(r.name))), None
        )
        if elsewhere is not None:
            return BadMetadata(why=f"it needs {elsewhere.name} from a place of its own, which only the user may name")
        return needed

    def _requirements_of_installed(self, found: Distribution, extra: NormalizedName | None) -> tuple[Requirement, ...]:
        """Return the requirements of an installed distribution. One with a URL counts by its name."""
        try:
            metadata = parse_metadata(found.head)
            extra = extra if extra in metadata.extras else None
            needed = tuple(r for r in metadata.requires_dist if applies(r, self.target, extra))
        except (MetadataError, UndecidableMarker) as error:
            raise Unreadable(f"the installed {found.name} {found.version}", f"{error}; reinstall it") from None
        return tuple(requirement_of(r.name) if r.url else r for r in needed)

    def _recorded(self, requirement: Requirement, origin: Origin) -> Iterator[Demand]:
        for demand in Demand(requirement=requirement, origin=origin).by_extra():
            self.state.record(demand)
            yield demand

    # the run

    def answer(self, most_rounds: int = MAX_ROUNDS) -> Solution | None:
        """Return the result of resolvelib; None where there is no answer, and then `clashes` say why."""
        roots = [part for demand in self.question.demands for part in demand.by_extra()]
        for demand in roots:
            self.state.record(demand)
        self._prefetcher.expect(demand.name for demand in roots)
        mapping = self._mapping(roots, most_rounds)
        return None if mapping is None else self._solution(roots, mapping)

    def _mapping(self, roots: Sequence[Demand], most_rounds: int) -> Mapping[str, _Choice] | None:
        """Return the choice for each identifier: pip's answer, or the thorough search's where pip would miss one."""
        search = Search(self, _Listener(self))
        try:
            return search.resolve(roots, max_rounds=most_rounds).mapping
        except ResolutionImpossible as impossible:
            self._keep_clash(impossible.causes)
        except ResolutionTooDeep:
            if not search.went_astray:
                raise self.budget.timed_out() from None
        few_rounds = min(most_rounds, MAX_ROUNDS_MORE)
        if search.is_doubtful and not search.went_astray:
            search = Search(self, _Listener(self), thorough=True)
            with suppress(ResolutionImpossible, ResolutionTooDeep):
                return search.resolve(roots, max_rounds=few_rounds).mapping
        return self._mapping_step_by_step(roots, few_rounds) if search.went_astray else None

    def _mapping_step_by_step(self, roots: Sequence[Demand], most_rounds: int) -> Mapping[str, _Choice] | None:
        try:
            return StepByStep(self, _Listener(self)).resolve(roots, max_rounds=most_rounds).mapping
        except ResolutionImpossible as impossible:
            self._keep_clash(impossible.causes)
        except ResolutionTooDeep:
            raise self.budget.timed_out() from None
        return None

    def _keep_clash(self, causes: Collection[RequirementInformation[_Dependency, _Choice]]) -> None:
        """Keep the conflict that ended a search, where it is the only one."""
        if causes and not self.clashes:
            self.clashes.append(_causes(causes))

    def rejected(self) -> None:
        """Count a file that was tried in vain."""
        self.budget.candidates += 1
        self._rejected_count += 1

    def clashed(self, causes: Collection[RequirementInformation[_Dependency, _Choice]]) -> None:
        """Keep a conflict; after many, prune versions that no answer can contain.

        Raises:
            ResolutionImpossible: there is no answer.
        """
        if len(self.clashes) < MAX_CLASHES:
            self.clashes.append(_causes(causes))
        if self._rejected_count >= self._prunes_at and not self.question.environment:
            self._prunes_at = 2 * self._rejected_count
            from wheelcheck.resolver.pruning import Pruning

            self._pruning = self._pruning or Pruning(self.state, self._projects_met, self._needs_of_untried)
            if not self._pruning.narrow(self._needs_of_versions(), most_read=self._rejected_count):
                raise ResolutionImpossible(list(causes))

    def _needs_of_versions(self) -> dict[NormalizedName, dict[Version, tuple[Demand, ...]]]:
        """Return the requirements of each version whose metadata was read, without its extras."""
        found: dict[NormalizedName, dict[Version, tuple[Demand, ...]]] = {}
        for candidate, dependencies in self._dependencies.items():
            if isinstance(candidate, _Pair):
                continue
            if candidate.extra is None and candidate.file not in self.state.refused:
                found.setdefault(candidate.name, {})[candidate.version] = tuple(_demands_in(dependencies))
        return found

    def _needs_of_untried(
        self, name: NormalizedName, versions: Iterable[Version]
    ) -> dict[Version, tuple[Demand, ...] | None]:
        """Return the requirements of versions that were not tried; None where they are not to be read."""
        candidates = self.state.candidates(name)
        best = {version: next(iter(candidates.files(version)), None) for version in versions} if candidates else {}
        untried = {
            version: Candidate(name=name, version=version, rank=choice[0], file=choice[1])
            for version, choice in best.items()
            if choice is not None and choice[1] not in self.state.refused
        }
        for candidate in untried.values():
            self.index.start_metadata(candidate.file)
        return {**dict.fromkeys(best), **{version: self._needs_alone(each) for version, each in untried.items()}}

    def _needs_alone(self, candidate: Candidate) -> tuple[Demand, ...] | None:
        with suppress(UndeterminedError):
            needed, origin = self._requirements(candidate), _needed_by(candidate)
            if isinstance(needed, tuple):
                return tuple(Demand(requirement=requirement, origin=origin) for requirement in needed)
        return None

    def _solution(self, roots: Sequence[Demand], mapping: Mapping[str, _Choice]) -> Solution:
        reached = self._reached(roots, mapping)
        chosen = tuple(choice for choice in reached if isinstance(choice, Candidate))
        demands: dict[NormalizedName, list[Demand]] = {}
        for dependency in (
            *roots,
            *(dependency for choice in reached for dependency in self.get_dependencies(choice)),
        ):
            if isinstance(dependency, Demand):
                demands.setdefault(dependency.name, []).append(dependency)
        satisfied = {candidate.name: candidate.installed for candidate in chosen if candidate.installed is not None}
        chosen = tuple(candidate for candidate in chosen if candidate.installed is None)
        plain = {candidate.name: candidate for candidate in chosen if candidate.extra is None}
        held = self._held_back(plain, demands)
        unknown = [name for name in UNKNOWN_ELSEWHERE if not self.target.environment[name]]
        assumed = DECIDED_BY_MICRO if PYTHON in self.target.assumed else ()
        stated = list(self._all_requirements_of(chosen)) if unknown or assumed else []
        return Solution(
            pins=tuple(
                Pin(
                    name=name,
                    version=candidate.version,
                    extras=tuple(sorted(c.extra for c in chosen if c.name == name and c.extra)),
                    file=candidate.file,
                    rank=candidate.rank,
                    demands=tuple(dict.fromkeys(demands[name])),
                    rules=held[name].rules if name in held else (),
                )
                for name, candidate in sorted(plain.items())
            ),
            satisfied=tuple(found for _, found in sorted(satisfied.items())),
            held_back=tuple(held.values()),
            unknown_markers=tuple(dict.fromkeys(_open_markers(stated, unknown, lambda *_: True))),
            assumed_markers=tuple(dict.fromkeys(_open_markers(stated, assumed, self._depends_on_micro))),
        )

    def _held_back(
        self, chosen: Mapping[NormalizedName, Candidate], demands: Mapping[NormalizedName, Sequence[Demand]]
    ) -> dict[NormalizedName, HeldBack]:
        if not self.rules:
            return {}
        from wheelcheck.resolver.outdated import held_back

        newest = {name for name in chosen if not self.wants_lowest(name)}
        found = held_back(chosen, demands, self.state, self._fetch_candidates)
        return {held.name: held for held in found if held.name in newest}

    def _all_requirements_of(self, chosen: Iterable[Candidate]) -> Iterator[tuple[Candidate, Requirement]]:
        """Yield the requirements of chosen files, whether or not they apply to the target."""
        for candidate in chosen:
            metadata = self.index.metadata(candidate.file)
            for requirement in metadata.requires_dist if isinstance(metadata, Metadata) else ():
                yield candidate, requirement

    def _depends_on_micro(self, requirement: Requirement, extra: str | None) -> bool:
        """Return whether another micro version of the target's Python would decide a requirement differently."""
        micros = (self.target, *other_micros(self.target))
        return len({applies(requirement, target, extra) for target in micros}) > 1

    def _reached(self, roots: Iterable[Demand], mapping: Mapping[str, _Choice]) -> list[_Choice]:
        """Return the choices that the roots lead to; resolvelib may keep pinned ones that nothing requires any more.

        A pair leads on where both of its projects are reached.
        """
        waiting = [demand.key for demand in roots]
        reached: dict[str, _Choice] = {}
        while waiting:
            key = waiting.pop()
            choice = mapping[key]
            is_whole = isinstance(choice, Candidate) or all(one.name in reached for one in choice.versions)
            if is_whole and key not in reached:
                reached[key] = choice
                waiting += [dependency.key for dependency in self.get_dependencies(choice)]
        return list(reached.values())


def _preference_of(dependency: _Dependency) -> _Preference:
    if not isinstance(dependency, Demand):
        is_tie = isinstance(dependency, _Tie)
        return _Preference(is_tie, pins=is_tie, bounds=False, restricts=False)
    specifier = dependency.requirement.specifier
    return _Preference(
        on_versions=True, pins=is_pinned(specifier), bounds=is_bounded_above(specifier), restricts=bool(specifier)
    )


class _Listener(resolvelib.BaseReporter["_Dependency", "_Choice", str]):
    """Report rounds, tried candidates and the causes of every conflict to a run; resolvelib keeps only the last
    causes.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def starting_round(self, index: int) -> None:
        self._run.budget.begin_round()

    def pinning(self, candidate: _Choice) -> None:
        self._run.budget.candidates += 1

    def rejecting_candidate(self, criterion: object, candidate: _Choice) -> None:
        self._run.rejected()

    def resolving_conflicts(self, causes: Collection[RequirementInformation[_Dependency, _Choice]]) -> None:
        self._run.clashed(causes)


def _open_markers(
    stated: Iterable[tuple[Candidate, Requirement]],
    variables: Sequence[str],
    is_open: Callable[[Requirement, str | None], bool],
) -> Iterator[Demand]:
    """Yield the requirements whose marker reads one of some variables and is undecided for the target."""
    for candidate, requirement in stated:
        marker = marker_text(requirement)
        if any(name in marker for name in variables) and is_open(requirement, candidate.extra):
            yield Demand(requirement=requirement, origin=_needed_by(candidate))


def _demands_in(dependencies: Iterable[_Dependency]) -> Iterator[Demand]:
    return (dependency for dependency in dependencies if isinstance(dependency, Demand))


def _origin_of(candidate: Candidate) -> NeededBy | Installed:
    if candidate.installed is not None:
        return Installed(name=candidate.name, version=candidate.version)
    return _needed_by(candidate)


def _needed_by(candidate: Candidate) -> NeededBy:
    return NeededBy(name=candidate.name, version=candidate.version, filename=candidate.file.filename)


def _split_key(key: str) -> tuple[NormalizedName, NormalizedName | None]:
    name, _, rest = key.partition("[")
    return canonicalize_name(name), canonicalize_name(rest[:-1]) if rest else None


def _causes(clash: Iterable[RequirementInformation[_Dependency, _Choice]]) -> tuple[Cause, ...]:
    """Convert a conflict for the explanation, without the private demands of this module."""
    return tuple(
        Cause(
            requirement=info.requirement if isinstance(info.requirement, Demand | PairVersion) else None,
            parent=info.parent if isinstance(info.parent, Candidate) else None,
        )
        for info in clash
    )
