"""Find changes that improve an answer. Each is re-resolved before it is offered.

Each family of changes yields groups of attempts; of a group, the first one that works is offered. Only changes that
follow from the reasons for the conflict or the warning are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol, TypeAlias

from packaging.version import InvalidVersion, Version

from wheelcheck.advice.changes import (
    CHANGES,
    AddRequirement,
    AllowPreRelease,
    AllowSource,
    Change,
    ChangeIndexStrategy,
    ChangePython,
    ChangeRequirement,
    DropRequirement,
    RaiseOsFloor,
    Remedy,
    ReplaceProject,
    UseNativeArchitecture,
)
from wheelcheck.advice.concerns import Concern, PreRelease, SameModule, Stale
from wheelcheck.common.records import Variant, record, replace
from wheelcheck.resolver.candidates import Candidates, combined
from wheelcheck.resolver.compatibility import (
    ForbiddenByRule,
    Judge,
    OsTooOld,
    Reason,
    RequiresPython,
    SourceOnly,
    WrongAbiTag,
    WrongPlatformTag,
    WrongPythonTag,
)
from wheelcheck.resolver.model import (
    Asked,
    Constraint,
    Demand,
    NeededBy,
    NoAnswer,
    NoCompatibleFile,
    NotForTarget,
    Pin,
    Question,
    RefusedFile,
)
from wheelcheck.rules.load import replacement_of
from wheelcheck.standards.file_problems import BadMetadata, ends_search
from wheelcheck.standards.markers import marker_text
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import ProjectPage
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.targets.platform import FLOOR, PYTHON, MacOS, Manylinux, Musllinux
from wheelcheck.targets.python import FIRST_FREE_THREADED, NEWEST_MICRO, OLDEST_SUPPORTED, read_python
from wheelcheck.targets.target import Target, target_on

OF_PYTHON = (WrongPythonTag, WrongAbiTag, RequiresPython)
FIXABLE = ("PreRelease", "NightlyDependency", "Stale", "Yanked", "SameModule", "SeveralIndexes", "Translated")
"""Warnings that a change may cure."""
FORBIDDEN = frozenset({"NightlyDependency", "Yanked", "SourceOnly"})
"""Warnings that a remedy must not introduce."""
TOLERATED = frozenset({"PreRelease"})
"""Warnings that a remedy may introduce; it then comes last, if nothing better works."""
EXPECTED: dict[type[Variant], frozenset[str]] = {AllowSource: frozenset({"SourceOnly"})}
"""Warnings that are the point of a change."""
LAST_RESORTS = (DropRequirement, ChangeIndexStrategy)
"""Changes that come after others that introduce a bearable warning."""
OLDEST_ARM_MACOS = 11
MAX_FLOORS = 3
MAX_LOOSENED = 4


class Answer(NamedTuple):
    """The answer to a changed question: its pins and concerns."""

    pins: tuple[Pin, ...]
    concerns: tuple[Concern, ...]


class Ask(Protocol):
    """Resolve a question, perhaps under another index strategy; None where it has no answer, or none in time."""

    def __call__(self, question: Question, strategy: str | None) -> Answer | None: ...


@record(slots=False)
class Case:
    """What is to be cured.

    Attributes:
        question: what was asked.
        strategy: the index strategy.
        conflict: why there is no answer, or None.
        pins, concerns: the answer, where there is one, with its concerns.
        page: returns the page of a project that the resolution has read.
        on: returns the same question for another target, where other markers hold.
    """

    question: Question
    strategy: str
    conflict: NoAnswer | None
    pins: tuple[Pin, ...]
    concerns: tuple[Concern, ...]
    page: Callable[[NormalizedName], ProjectPage | None]
    on: Callable[[Target], Question]

    @property
    def warnings(self) -> tuple[Concern, ...]:
        """The curable warnings; among outdated projects, requested ones come first."""
        found = [one for one in self.concerns if one.level == "warning" and one.kind in FIXABLE]
        asked = {pin.name for pin in self.pins if pin.requested}
        own = {one for one in found if isinstance(one, Stale) and one.project in asked}
        return tuple(one for one in found if not isinstance(one, Stale) or not own or one in own)

    @property
    def needs(self) -> dict[NormalizedName, tuple[RefusedFile, ...]]:
        """By project, the files that another target would use."""
        if isinstance(self.conflict, NotForTarget):
            return {}
        if self.conflict is not None:
            return {self.conflict.project: self.conflict.files}
        lacking = [one for one in self.warnings if isinstance(one, Stale | PreRelease) and one.needs]
        return {one.of if isinstance(one, Stale) else one.project: one.needs for one in lacking}

    @property
    def demands(self) -> tuple[Demand, ...]:
        """The user's demands that are involved."""
        if self.conflict is not None:
            core = {demand.asking for demand in self.conflict.demands}
            return tuple(d for d in (*self.question.demands, *self.question.constraints) if d.asking in core)
        about = {one.project for one in self.warnings} | self.with_same_module
        return tuple(demand for demand in self.question.demands if demand.name in about)

    @property
    def with_same_module(self) -> set[str]:
        """The projects of which another one in the answer installs the same module."""
        return {name for one in self.warnings if isinstance(one, SameModule) for name in one.others}

    def says(self, kind: str, project: str) -> bool:
        """Return whether there is a warning of a kind about a project."""
        return any((one.kind, one.project) == (kind, project) for one in self.warnings)

    def refused_for(self, *kinds: type[Variant]) -> Iterator[RefusedFile]:
        """Return the files against which only reasons of some kinds exist."""
        for files in self.needs.values():
            yield from (file for file in files if file.reasons and all(isinstance(why, kinds) for why in file.reasons))

    @property
    def depends_on_python(self) -> bool:
        """Whether a demand in the conflict applies to some Pythons only."""
        clashing = self.conflict.demands if self.conflict is not None else ()
        return any("python" in str(demand.requirement.marker or "") for demand in clashing)

    def is_cured_by(self, answer: Answer, expected: frozenset[str] = frozenset()) -> bool:
        """Return whether an answer is free of some kind of warning, and introduces none that is unwelcome."""
        before, after = _warned(self.concerns), _warned(answer.concerns)
        if any(kind in FORBIDDEN - expected for kind, _ in after - before):
            return False
        left = {kind for kind, project in _warned(self.warnings) if (kind, project) in after}
        if {pin.name: pin.file.url for pin in self.pins} == {pin.name: pin.file.url for pin in answer.pins}:
            left.add("SeveralIndexes")  # first-index asks one index and cannot warn, but would take the same files
        return self.conflict is not None or bool({one.kind for one in self.warnings} - left)

    def brought_by(self, answer: Answer, expected: frozenset[str] = frozenset()) -> tuple[Concern, ...]:
        """Return the bearable warnings of an answer that were not there before."""
        new = _warned(answer.concerns) - _warned(self.concerns)
        return tuple(
            one for one in answer.concerns if one.kind in TOLERATED - expected and (one.kind, one.project) in new
        )


def _warned(concerns: Iterable[Concern]) -> set[tuple[str, str | None]]:
    return {(one.kind, one.project) for one in concerns if one.level == "warning"}


class Attempt(NamedTuple):
    """A change, with the changed question."""

    change: Change
    question: Question
    strategy: str | None = None


Group: TypeAlias = "Iterable[Attempt]"


def remedies(case: Case, ask: Ask) -> tuple[Remedy, ...]:
    """Return the changes that cure a case, in the order of their kinds, each with its answer."""
    given: dict[Change, Answer | None] = {}
    found: dict[Change, Remedy] = {}
    for group in _groups(case):
        has_second_best = False
        for remedy in _cures(case, group, ask, given):
            if not remedy.concerns or not has_second_best:
                found.setdefault(remedy.change, remedy)
            if not remedy.concerns:
                break
            has_second_best = True
    newest = _newest(found.values())
    return tuple(sorted(found.values(), key=lambda remedy: _rank(remedy, newest)))


def _newest(found: Iterable[Remedy]) -> dict[NormalizedName, list[Version]]:
    """Return the versions of each requested project in the answers of all remedies, newest first."""
    versions: dict[NormalizedName, set[Version]] = {}
    for remedy in found:
        for pin in remedy.pins:
            if pin.requested:
                versions.setdefault(pin.name, set()).add(pin.version)
    return {name: sorted(each, reverse=True) for name, each in versions.items()}


def _rank(remedy: Remedy, newest: Mapping[NormalizedName, list[Version]]) -> tuple[bool, bool, int, int]:
    """A sort key: changes that introduce a warning, or drop something, come last; then those with older versions."""
    change = remedy.change
    is_last = bool(remedy.concerns) or isinstance(change, (AllowPreRelease, *LAST_RESORTS))
    is_dead = isinstance(change, ChangePython) and _is_dead(change.python)
    behind = sum(newest[pin.name].index(pin.version) for pin in remedy.pins if pin.requested)
    return is_last, is_dead, 0 if is_last else behind, CHANGES.index(type(change))


def _is_dead(python: str) -> bool:
    """Return whether a Python gets no fixes any more."""
    return int(python.removesuffix("t").split(".")[1]) < OLDEST_SUPPORTED


def _cures(case: Case, group: Group, ask: Ask, given: dict[Change, Answer | None]) -> Iterator[Remedy]:
    """Yield the changes of a group that cure a case; none is tried twice."""
    for attempt in group:
        change = attempt.change
        if change not in given:
            given[change] = ask(attempt.question, attempt.strategy)
        answer, expected = given[change], EXPECTED.get(type(change), frozenset())
        if answer is not None and case.is_cured_by(answer, expected):
            yield Remedy(change=change, pins=answer.pins, concerns=case.brought_by(answer, expected))


def _groups(case: Case) -> Iterator[Group]:
    if case.conflict is None and not case.warnings:
        return
    for family in (
        _pythons,
        _floors,
        _architectures,
        _replacements,
        _around,
        _loosened,
        _pre_releases,
        _sources,
        _strategies,
    ):
        yield from family(case)


# -- another target


def _pythons(case: Case) -> Iterator[Group]:
    """Try the nearest Python that works, and the newest; for a free-threaded build also the nearest of its kind."""
    target = case.question.target
    if isinstance(case.conflict, NotForTarget) or any(case.refused_for(*OF_PYTHON)) or case.depends_on_python:
        if target.free_threaded:
            yield _with_pythons(case, [f"{text}t" for minor, text in _nearest(target) if minor >= FIRST_FREE_THREADED])
        yield _with_pythons(case, [text for _, text in _nearest(target)])
        yield _with_pythons(case, [f"3.{minor}" for minor in sorted(NEWEST_MICRO, reverse=True)])


def _nearest(target: Target) -> list[tuple[int, str]]:
    """Return the minor versions of CPython with their texts, nearest first, starting with the target's own; those
    that get no fixes any more come last.
    """
    own = target.version.minor

    def distance(minor: int) -> tuple[bool, int, int]:
        return minor < OLDEST_SUPPORTED and minor != own, abs(minor - own), -minor

    return [(minor, f"3.{minor}") for minor in sorted(NEWEST_MICRO, key=distance)]


def _with_pythons(case: Case, pythons: Iterable[str]) -> Group:
    target = case.question.target
    for text in pythons:
        python = read_python(text)
        if python.abi == target.abi:
            text = f"{python.version}{'t' if target.free_threaded else ''}"  # another micro, so that is what to tell
        plain = target_on(target.platform, read_python(text), target.assumed - {PYTHON})
        other = replace(plain, translated=target.translated)
        if other != target and _is_viable(case, other):
            yield Attempt(ChangePython(python=text, target=other.name), case.on(other))


def _is_viable(case: Case, target: Target) -> bool:
    """Return whether each project involved has a file for a target, so that resolving is worthwhile."""
    question = case.on(target)
    return question.refused is None and all(_has_file(case, name, question) for name in case.needs)


def _has_file(case: Case, name: NormalizedName, question: Question) -> bool:
    page = case.page(name)
    if page is None:
        return False
    judge = Judge(question.target, question.rules, any_python=question.policy.ignore_requires_python)
    candidates = Candidates(page, judge, question.policy)
    asked = [demand for demand in (*question.demands, *question.constraints) if demand.name == name]
    pre = question.policy.prereleases(name)
    found = next(candidates.matching(combined(asked), pre=pre), None)
    wanted = next((one.newest for one in case.warnings if isinstance(one, Stale) and one.project == name), None)
    return found is not None and (wanted is None or found >= wanted)


def _floors(case: Case) -> Iterator[Group]:
    """Try the oldest release of the system that works."""
    platform = case.question.target.platform
    needed: dict[str, str] = {}
    for file in case.refused_for(OsTooOld, ForbiddenByRule):
        lifts = [_floor_of(why) for why in file.reasons]
        if all(lifts):
            release, system = max(filter(None, lifts), key=lambda lift: Version(lift[0]))
            needed[release] = system
    if isinstance(platform, MacOS | Manylinux | Musllinux):
        floors = sorted(needed, key=Version)[:MAX_FLOORS]
        yield [_raised(case, platform, needed[floor], floor) for floor in floors]


def _floor_of(why: Reason) -> tuple[str, str] | None:
    """Return the oldest release of the system with which a reason is gone, and the system; None where none is."""
    if isinstance(why, OsTooOld):
        return why.need, why.system
    limits = list(why.rule.macos or ()) if isinstance(why, ForbiddenByRule) else []
    if len(limits) != 1 or limits[0].operator != "<":
        return None
    release = Version(limits[0].version)
    return f"{release.major}.{release.minor}", "macOS"


def _raised(case: Case, platform: MacOS | Manylinux | Musllinux, system: str, floor: str) -> Attempt:
    major, minor = map(int, floor.split("."))
    own = case.question.target
    newer = replace(platform, major=major, minor=minor)
    target = replace(own, platform=newer, assumed=own.assumed - {FLOOR}, interpreter=None)
    change = RaiseOsFloor(system=system, floor=floor, target=target.name)
    return Attempt(change, case.on(target))


def _architectures(case: Case) -> Iterator[Group]:
    """Try an arm64 Python, where an x86_64 one may run on Apple silicon."""
    target = case.question.target
    platform = target.platform
    if not isinstance(platform, MacOS) or platform.machine == "arm64":
        return
    major, minor = max((platform.major, platform.minor), (OLDEST_ARM_MACOS, 0))
    native = MacOS(major=major, minor=minor, machine="arm64")
    other = replace(target, platform=native, stated=(), interpreter=None, translated=False)
    is_translated = any(one.kind == "Translated" for one in case.warnings)
    if is_translated or (any(case.refused_for(WrongPlatformTag)) and _is_viable(case, other)):
        change = UseNativeArchitecture(machine="arm64", target=other.name)
        yield [Attempt(change, case.on(other))]


# -- other requirements


def _replacements(case: Case) -> Iterator[Group]:
    """Try the project that replaced a requested one: with its version bounds, or without."""
    present = {demand.name for demand in case.question.demands}
    for demand in case.demands:
        replacement = replacement_of(demand.name)
        is_behind = case.conflict is not None or case.says("Stale", demand.name)
        if replacement is not None and is_behind and replacement.by not in present:
            texts = dict.fromkeys((f"{replacement.by}{demand.requirement.specifier}", str(replacement.by)))
            yield [
                Attempt(
                    ReplaceProject(project=demand.name, by=replacement.by, requirement=text, why=replacement.why),
                    _with(case.question, demand, text),
                )
                for text in texts
            ]


def _around(case: Case) -> Iterator[Group]:
    """Try older versions than that of a file which nothing can read; one with another hash is left to the user."""
    conflict = case.conflict
    if not isinstance(conflict, NoCompatibleFile) or conflict.files[0].version is None:
        return
    if any(isinstance(why, BadMetadata) and ends_search(why) for why in conflict.files[0].reasons):
        text = f"{conflict.project}<{conflict.files[0].version.public}"
        bound = Demand(requirement=requirement_of(text), origin=Constraint(place="a fix"))
        question = replace(case.question, constraints=(*case.question.constraints, bound))
        yield [Attempt(AddRequirement(requirements=(text,)), question)]


def _loosened(case: Case) -> Iterator[Group]:
    """Try, for each involved requirement, the closest looser one, or none."""
    for demand in case.demands[:MAX_LOOSENED]:
        yield list(_looser(case, demand))


def _looser(case: Case, demand: Demand) -> Iterator[Attempt]:
    assert isinstance(demand.origin, Asked | Constraint)
    question, place = case.question, demand.origin.place
    if case.conflict is not None or case.says("Yanked", demand.name):
        for text in _looser_texts(demand, _usable(case, demand.name)):
            change = ChangeRequirement(project=demand.name, before=demand.shown, after=text, place=place)
            yield Attempt(change, _with(question, demand, text))
    fewer = _with(question, demand, None)
    if fewer.demands and (case.conflict is not None or demand.name in case.with_same_module):
        yield Attempt(DropRequirement(requirement=demand.shown, place=place), fewer)


def _looser_texts(demand: Demand, usable: Sequence[Version]) -> Iterator[str]:
    """Yield a requirement as text, looser and looser: without extras, with one clause widened, without one, without
    all.
    """
    requirement = demand.requirement
    if requirement.url:
        return
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f"; {marker_text(requirement)}" if requirement.marker else ""
    clauses = [(clause.operator, clause.version) for clause in requirement.specifier]
    if extras:
        yield f"{requirement.name}{requirement.specifier}{marker}"
    for looser in _looser_clauses(clauses, usable):
        yield f"{requirement.name}{extras}{','.join(sorted(looser))}{marker}"


def _looser_clauses(clauses: Sequence[tuple[str, str]], usable: Sequence[Version]) -> Iterator[list[str]]:
    """Yield version clauses, looser and looser; `usable` are the versions with a file for the target, newest first."""
    for place, (operator, text) in enumerate(clauses):
        others = [f"{other}{version}" for other, version in (*clauses[:place], *clauses[place + 1 :])]
        with suppress(InvalidVersion):  # === takes any text
            version = Version(text.removesuffix(".*"))
            yield from ([*others, wider] for wider in _wider(operator, version, usable) if wider != f"{operator}{text}")
    if len(clauses) > 1:
        yield from ([f"{op}{version}" for op, version in clauses if (op, version) != left] for left in clauses)
    if clauses:
        yield []


def _wider(operator: str, version: Version, usable: Sequence[Version]) -> Iterator[str]:
    """Yield wider forms of a clause: admitting the nearest excluded version, or all on one side."""
    match operator:
        case "==" | "===" | "~=":
            if operator == "===" or version.local:
                yield f"=={version.public}"
            if len(version.release) > 2:
                yield f"=={version.major}.{version.minor}.*"
            yield f">={version.public}"
            yield f"<={version.public}"
        case "<" | "<=":
            yield from (f"<={other}" for other in [other for other in usable if other >= version][-1:])
        case ">" | ">=":
            yield from (f">={other}" for other in [other for other in usable if other <= version][:1])


def _usable(case: Case, name: NormalizedName) -> list[Version]:
    """Return the final versions of a project with a file for the target, newest first."""
    page, question = case.page(name), case.question
    if page is None:
        return []
    judge = Judge(question.target, question.rules, any_python=question.policy.ignore_requires_python)
    candidates = Candidates(page, judge, question.policy)
    return [
        version for version in candidates.versions if not version.is_prerelease and not candidates.is_yanked(version)
    ]


def _with(question: Question, demand: Demand, text: str | None) -> Question:
    """Return the question with another text in place of one demand, or without it."""
    changed = [] if text is None else [replace(demand, requirement=requirement_of(text), hashes=())]

    def exchanged(demands: Sequence[Demand]) -> tuple[Demand, ...]:
        return tuple(new for old in demands for new in (changed if old is demand else [old]))

    return replace(question, demands=exchanged(question.demands), constraints=exchanged(question.constraints))


# -- other choices


def _pre_releases(case: Case) -> Iterator[Group]:
    """Try pre-releases: pin the ones that were chosen without a request, accept the ones that were excluded."""
    question, policy = case.question, case.question.policy
    kinds = ("PreRelease", "NightlyDependency")
    unasked = {one.project for one in case.warnings if one.kind in kinds}
    pinned = [(pin.name, f"{pin.name}=={pin.version}") for pin in case.pins if pin.name in unasked]
    if pinned:
        texts = tuple(text for _, text in pinned)
        added = tuple(Demand(requirement=requirement_of(text), origin=Asked(place="the remedy")) for text in texts)
        change = AllowPreRelease(projects=tuple(name for name, _ in pinned), requirements=texts)
        yield [Attempt(change, replace(question, demands=(*question.demands, *added)))]
    for name in list(_without_pre_releases(case))[:MAX_LOOSENED]:
        wanted = replace(policy, all_releases=policy.all_releases | {name}, only_final=policy.only_final - {name})
        yield [Attempt(AllowPreRelease(projects=(name,), requirements=()), replace(question, policy=wanted))]


def _without_pre_releases(case: Case) -> Iterator[NormalizedName]:
    """Yield the projects in a conflict that have excluded pre-releases."""
    demands = case.conflict.demands if case.conflict is not None else ()
    askers = (demand.origin.name for demand in demands if isinstance(demand.origin, NeededBy))
    for name in dict.fromkeys((*(demand.name for demand in demands), *askers)):
        page = case.page(name) if not case.question.policy.prereleases(name) else None
        if page is not None and any(version.is_prerelease for version in page.versions):
            yield name


def _sources(case: Case) -> Iterator[Group]:
    """Try source distributions, where nothing else rules them out."""
    question = case.question
    if case.conflict is not None and not question.policy.allow_sdists and any(case.refused_for(SourceOnly)):
        change = AllowSource(projects=(case.conflict.project,))
        yield [Attempt(change, replace(question, policy=replace(question.policy, allow_sdists=True)))]


def _strategies(case: Case) -> Iterator[Group]:
    """Try the other index strategy: first-index where the indexes differ, best-match where first-index has no
    answer.
    """
    if case.conflict is not None and case.strategy == "first-index":
        yield [Attempt(ChangeIndexStrategy(strategy="best-match"), case.question, "best-match")]
    if any(one.kind == "SeveralIndexes" for one in case.warnings):
        yield [Attempt(ChangeIndexStrategy(strategy="first-index"), case.question, "first-index")]
