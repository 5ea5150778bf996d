"""Find the concerns about an answer from its pins, its target, and the pages of its projects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.version import Version

from wheelcheck.advice.concerns import (
    Antique,
    AssumedFloor,
    AssumedPython,
    Concern,
    Elsewhere,
    HeldBack,
    MarkerUnknown,
    MetadataDisagrees,
    NightlyDependency,
    PredictedBreak,
    PreRelease,
    ProjectStatus,
    SameModule,
    SeveralIndexes,
    SourceOnly,
    Stale,
    Translated,
    UnknownTarget,
    Yanked,
)
from wheelcheck.common.records import replace
from wheelcheck.resolver.compatibility import OsTooOld, RequiresPython, release_asked
from wheelcheck.resolver.model import Asked, NeededBy, Outdated, Pin, Policy, Question, Solution
from wheelcheck.rules.load import modules
from wheelcheck.rules.model import Effect, Rule, named
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, ProjectPage, Sdist, Wheel
from wheelcheck.standards.specifiers import specifiers_of
from wheelcheck.targets.platform import FLOOR, NEWEST_MACOS, PYTHON, MacOS
from wheelcheck.targets.python import NEWEST_DATE, NEWEST_MICRO
from wheelcheck.targets.target import Target, other_micros

WEAK_HASHES = frozenset({"md5", "sha1"})
"""Hash algorithms for which collisions can be made."""


def concerns_of(
    solution: Solution,
    question: Question,
    pages: Mapping[NormalizedName, ProjectPage],
    metadata: Mapping[Listed, Metadata],
) -> tuple[Concern, ...]:
    """Return the concerns about one answer.

    Args:
        solution: the answer.
        question: what was asked.
        pages: the pages of its projects; a project whose file the user names has none.
        metadata: the metadata of the chosen files.
    """
    return tuple(_concerns(solution, question, pages, metadata))


def _concerns(
    solution: Solution,
    question: Question,
    pages: Mapping[NormalizedName, ProjectPage],
    metadata: Mapping[Listed, Metadata],
) -> Iterator[Concern]:
    target = question.target
    yield from about_target(target)
    outdated = {found.name: found for found in solution.outdated}
    for pin in solution.pins:
        yield from _about_version(pin, question.policy, outdated.get(pin.name))
        yield from _about_file(pin, target)
        if pin.name in pages:
            yield from _about_page(pin, pages[pin.name])
        if pin.file in metadata:
            yield from _about_metadata(pin, metadata[pin.file])
    yield from _of_one_module(solution.pins)
    asked = {pin.name for pin in solution.pins if pin.requested}
    for held in solution.held_back:
        # what one dependency asks of another is a detail of the answer, which its pin and the list of rules show
        if asked.isdisjoint((held.name, *(rule.project for rule in held.rules))):
            continue
        yield HeldBack(project=held.name, version=held.chosen, instead_of=held.instead_of, rules=held.rules)
    yield from _predicted(solution.pins, question)
    yield from _if_translated(solution.pins, question)
    for demand in solution.unknown_markers:
        assert isinstance(demand.origin, NeededBy)
        about = demand.origin
        yield MarkerUnknown(project=about.name, version=about.version, requirement=demand.requirement)
    if PYTHON in target.assumed:
        yield from _micros(solution, target)
    if FLOOR in target.assumed:
        yield from _floor(solution, target)


def about_target(target: Target) -> Iterator[Concern]:
    """Yield the concerns that a target gives rise to, whatever is asked about it."""
    if target.translated:
        yield Translated(interpreter=target.interpreter)
    if target.interpreter is not None:
        return  # it exists
    system, python = target.platform, target.version
    if isinstance(system, MacOS) and system.major > NEWEST_MACOS:
        release = f"{system.major}.{system.minor}"
        yield UnknownTarget(thing="macOS", release=release, newest=str(NEWEST_MACOS), as_of=NEWEST_DATE)
    if target.implementation == "cpython" and python.minor > max(NEWEST_MICRO):
        newest = f"3.{max(NEWEST_MICRO)}"
        yield UnknownTarget(thing="CPython", release=f"3.{python.minor}", newest=newest, as_of=NEWEST_DATE)


def _if_translated(pins: Sequence[Pin], question: Question) -> Iterator[Concern]:
    """Yield what would not work if an x86_64 Python, of which nothing else is known, ran under Rosetta."""
    target = question.target
    system = target.platform
    if target.translated is None and isinstance(system, MacOS) and system.machine == "x86_64" and system.major > 10:
        translated = replace(target, translated=True)
        for pin in pins:
            for rule in question.rules.forbidding(pin.name, pin.version, translated)[:1]:
                yield Translated(interpreter=None, project=pin.name, rule=rule)


def _predicted(pins: Sequence[Pin], question: Question) -> Iterator[Concern]:
    """Yield the predicted rules that an answer breaks."""
    chosen = {pin.name: pin.version for pin in pins}
    for pin in pins:
        for rule in question.rules.predicted(pin.name, pin.version, question.target):
            if rule.is_beside(chosen) and _is_broken(rule, chosen, lacks_needs=question.policy.no_deps):
                yield PredictedBreak(project=pin.name, version=pin.version, rule=rule)


def _is_broken(rule: Rule, chosen: Mapping[NormalizedName, Version], *, lacks_needs: bool) -> bool:
    """Return whether an answer has what a rule about one of its projects would forbid, or lacks what it would
    require.
    """
    others = {named(requirement) for requirement in rule.requirements}
    if rule.effect is Effect.REQUIRES and not lacks_needs and not others <= chosen.keys():
        return True
    fails = any(rule.broken_by(other, chosen[other]) for other in others & chosen.keys())
    return fails or rule.effect is Effect.FORBIDS


def _about_version(pin: Pin, policy: Policy, outdated: Outdated | None) -> Iterator[Concern]:
    asked = (demand.requirement for demand in pin.demands if isinstance(demand.origin, Asked))
    wanted = policy.prereleases(pin.name) or any(each.specifier.prereleases or each.url for each in asked)
    if pin.version.is_prerelease and not wanted:
        newest, needs = (outdated.newest, outdated.nearest) if outdated else (None, ())
        yield PreRelease(project=pin.name, version=pin.version, newest_final=newest, needs=needs)
    elif outdated is not None:
        yield Stale(
            project=pin.name,
            version=pin.version,
            fitting=outdated.fitting,
            newest=outdated.newest,
            versions=outdated.newer,
            months=outdated.months,
            of=outdated.of,
            needs=outdated.nearest,
        )
    if pin.version.is_devrelease and not pin.requested:
        asking = [demand for demand in pin.demands if isinstance(demand.origin, NeededBy)]
        requirements = tuple(dict.fromkeys(demand.requirement for demand in asking))
        yield NightlyDependency(
            project=pin.name, version=pin.version, needed_by=pin.needed_by, requirements=requirements
        )


def _about_file(pin: Pin, target: Target) -> Iterator[Concern]:
    if pin.file.yanked is not None:
        yield Yanked(project=pin.name, version=pin.version, why=pin.file.yanked)
    if isinstance(pin.file, Sdist):
        yield SourceOnly(project=pin.name, version=pin.version)
        return
    named = {triple.partition("-")[0] for triple in pin.file.triples if triple in target.ranks}
    newest = max((int(tag[3:] or 0) for tag in named if tag.startswith("py3")), default=0)
    minors = [tag[3:] if tag.startswith("py3") and tag[3:].isdecimal() else "99" for tag in named]
    if minors and all(int(minor) < target.version.minor for minor in minors):
        yield Antique(
            project=pin.name,
            version=pin.version,
            filename=pin.file.filename,
            newest=f"3.{newest}",
            python=target.python,
        )


def _about_metadata(pin: Pin, metadata: Metadata) -> Iterator[Concern]:
    """Compare what the index says about the file, on its page and beside the file, with the file's own metadata."""
    if metadata.beside:
        own = {"Name": f"Name: {metadata.name}", "Version": f"Version: {metadata.version}"}
        yield MetadataDisagrees(
            project=pin.name,
            version=pin.version,
            filename=pin.file.filename,
            other=f"{pin.file.filename}.metadata",
            says=tuple(own[line.partition(":")[0]] for line in metadata.beside),
            other_says=metadata.beside,
        )
    stated, read = pin.file.requires_python, metadata.requires_python
    if stated is not None and stated != (read or "") and _clauses(stated) != _clauses(read or ""):
        yield MetadataDisagrees(
            project=pin.name,
            version=pin.version,
            filename=pin.file.filename,
            other=None,
            says=_requires_python(read),
            other_says=_requires_python(stated),
        )


def across_targets(
    pins: Iterable[Pin], elsewhere: Sequence[Pin], metadata: Mapping[Listed, Metadata]
) -> Iterator[MetadataDisagrees]:
    """Yield pins whose metadata differs from that of another target's file of the same version.

    A tool that reads one file's metadata for each version gives wrong answers there.
    """
    for pin in pins:
        others = (other.file for other in elsewhere if (other.name, other.version) == (pin.name, pin.version))
        for other in dict.fromkeys(others):
            own, its = _lines_of(metadata[pin.file]), _lines_of(metadata[other])
            if own != its:
                yield MetadataDisagrees(
                    project=pin.name,
                    version=pin.version,
                    filename=pin.file.filename,
                    other=other.filename,
                    says=tuple(line for line in own if line not in its),
                    other_says=tuple(line for line in its if line not in own),
                )
                break


def _lines_of(metadata: Metadata) -> dict[str, None]:
    """Return what metadata requires, as lines of core metadata."""
    needs = (f"Requires-Dist: {requirement}" for requirement in metadata.requires_dist)
    return dict.fromkeys((*_requires_python(metadata.requires_python), *sorted(needs)))


def _clauses(specifier: str) -> set[str]:
    return {"".join(clause.split()) for clause in specifier.split(",")} - {""}


def _requires_python(specifier: str | None) -> tuple[str, ...]:
    return (f"Requires-Python: {specifier}",) if specifier else ()


def _of_one_module(pins: Sequence[Pin]) -> Iterator[Concern]:
    """Yield projects that install the same module; one that requires another of them is an empty shell and does not
    count.
    """
    by_name = {pin.name: pin for pin in pins}
    for module, projects in modules().items():
        found = [by_name[name] for name in projects if name in by_name]
        needed = {name for pin in found for name in pin.needed_by}
        full = sorted(pin.name for pin in found if pin.name not in needed)
        if len(full) > 1:
            yield SameModule(project=full[0], others=tuple(full[1:]), module=module)


def _about_page(pin: Pin, page: ProjectPage) -> Iterator[Concern]:
    if page.status is not None:
        yield ProjectStatus(project=pin.name, status=page.status, why=page.status_reason)
    is_given = any(demand.hashes for demand in pin.demands)  # so no index can put another file in its place
    is_mixed = pin.file.index in page.indexes and len(page.indexes) > 1 and not is_given
    others = tuple(_elsewhere(pin.file, page)) if is_mixed else ()
    if others:
        file = pin.file
        yield SeveralIndexes(
            project=pin.name, version=pin.version, filename=file.filename, chosen=file.index, others=others
        )


def _elsewhere(file: Listed, page: ProjectPage) -> Iterator[Elsewhere]:
    """Return the other indexes on which a chosen file is not the same."""
    namesakes = [other for other in page.versions.get(file.version, ()) if other.filename == file.filename]
    for index in page.indexes:
        has = _difference(file, [other for other in namesakes if other.index == index])
        if index != file.index and has:
            yield Elsewhere(index=index, has=has)


def _difference(file: Listed, namesakes: Iterable[Listed]) -> str | None:
    """Return how an index's files of one name differ from the chosen one; None where each is proved to be the same."""
    found = [_proof(file.hashes, other.hashes) for other in namesakes]
    return min(found, key=("other", "unproven", None).index) if found else "nothing"


def _proof(hashes: Mapping[str, str], others: Mapping[str, str]) -> str | None:
    common = hashes.keys() & others.keys()
    if any(hashes[algorithm] != others[algorithm] for algorithm in common):
        return "other"
    return None if common - WEAK_HASHES else "unproven"


# -- what a target's text left open


def _micros(solution: Solution, target: Target) -> Iterator[AssumedPython]:
    """Yield what another micro version of Python would decide differently."""
    for project, version, states in (*_hanging_files(solution, target), *_hanging_markers(solution)):
        yield AssumedPython(project=project, version=version, python=target.python, states=states)


def _hanging_files(solution: Solution, target: Target) -> Iterator[tuple[NormalizedName, Version, str]]:
    stated = [(pin.name, pin.version, pin.file.requires_python) for pin in solution.pins]
    for found in solution.outdated:
        reasons = (why for file in found.nearest for why in file.reasons if isinstance(why, RequiresPython))
        stated += [(found.of, found.nearest[0].version or found.newest, why.specifier) for why in reasons]
    pythons = [micro.python for micro in (target, *other_micros(target))]
    distinct = {specifier for *_, specifier in stated}
    parting = {specifier for specifier in distinct if _parts(specifier, pythons)}
    for project, version, specifier in dict.fromkeys(stated):
        if specifier in parting:
            yield project, version, f"Requires-Python: {specifier}"


def _hanging_markers(solution: Solution) -> Iterator[tuple[NormalizedName, Version, str]]:
    for demand in solution.assumed_markers:
        assert isinstance(demand.origin, NeededBy)
        yield demand.origin.name, demand.origin.version, f"Requires-Dist: {demand.shown}"


def _parts(specifier: str | None, pythons: Iterable[str]) -> bool:
    """Return whether a Requires-Python admits some of these Pythons and excludes others."""
    if specifier is None:
        return False
    try:
        admitted = specifiers_of(specifier)
    except ValueError:
        return False
    return len({admitted.contains(python, True) for python in pythons}) > 1


EVERYWHERE = {"macOS": (11, 0), "glibc": (2, 17), "musl": (1, 1)}
"""Releases that every maintained machine has; a file that requires no more decides nothing."""


def _floor(solution: Solution, target: Target) -> Iterator[AssumedFloor]:
    """Yield the chosen file that requires the newest system, and versions that require one newer than assumed."""
    asking = [(need, pin.name, pin.version) for pin in solution.pins if (need := _need(pin.file, target)) is not None]
    for (system, release), project, version in sorted(asking, reverse=True)[:1]:
        if release > EVERYWHERE[system]:
            needs = "{}.{}".format(*release)
            yield AssumedFloor(project=project, version=version, system=system, needs=needs, refused=False)
    for found in solution.outdated:
        for why in found.nearest[0].reasons:
            if isinstance(why, OsTooOld):
                yield AssumedFloor(
                    project=found.of,
                    version=found.nearest[0].version or found.newest,
                    system=why.system,
                    needs=why.need,
                    refused=True,
                )


def _need(file: Listed, target: Target) -> tuple[str, tuple[int, int]] | None:
    """Return the system and minimum release that a wheel requires; None where it requires none."""
    tags = [triple for triple in file.triples if triple in target.ranks] if isinstance(file, Wheel) else []
    asked = [release_asked(triple.rpartition("-")[2], target.platform) for triple in tags]
    return min((need for need in asked if need is not None), default=None) if all(asked) else None
