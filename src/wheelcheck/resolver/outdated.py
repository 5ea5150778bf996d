"""Find projects left behind: their newest final release has no file for the target, or curated rules exclude it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, takewhile
from typing import TypeAlias

from packaging.version import Version

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.resolver.candidates import Candidates
from wheelcheck.resolver.compatibility import (
    ForbiddenByRule,
    Judge,
    NoUploadTime,
    Quarantined,
    Reason,
    SourceOnly,
    TooNew,
    fits_of,
)
from wheelcheck.resolver.model import (
    AddedByRule,
    Asked,
    Candidate,
    Demand,
    HeldBack,
    NoCompatibleFile,
    Outcome,
    Outdated,
    Pin,
    Policy,
    RefusedFile,
    Solution,
)
from wheelcheck.resolver.state import ResolutionState
from wheelcheck.rules.model import Rule
from wheelcheck.standards.file_problems import BadMetadata, HashMismatch
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, Wheel
from wheelcheck.standards.requirements import requirement_of

NOT_OF_THE_TARGET = (BadMetadata, HashMismatch, ForbiddenByRule, NoUploadTime, TooNew, Quarantined)
"""Reasons that do not come from the target, but from the publisher, the user, a rule or the index."""


Alone: TypeAlias = "Callable[[Demand], Outcome | None]"


def outdated(pins: Iterable[Pin], state: ResolutionState, alone: Alone) -> Iterator[Outdated]:
    """Yield the projects of an answer whose newest final release, or a dependency of it, does not fit the target.

    Args:
        pins: the answer, or the part of it in question.
        state: what the resolution recorded.
        alone: resolves one demand beside the constraints; returns None where that is too much work.
    """
    for pin in pins:
        candidates = state.candidates(pin.name)
        found = _find_outdated(pin, candidates, state, alone) if candidates is not None else None
        if found is not None:
            yield found


def _find_outdated(pin: Pin, candidates: Candidates, state: ResolutionState, alone: Alone) -> Outdated | None:
    if pin.version == next(iter(candidates.page.versions)) and not pin.version.is_prerelease:
        return None
    finals = list(_finals(pin, candidates, state))
    newest = next((version for version in finals if not _is_left_out(candidates, version)), None)
    if newest is None:
        return None
    of, nearest = pin.name, nearest_files(candidates, newest) if not candidates.files(newest) else ()
    if not nearest and not pin.version.is_prerelease:
        of, nearest = _lacking(pin, newest, candidates, alone)
    if not nearest:
        return None
    fitting = _fitting(pin, finals, candidates, alone)
    file = pin.file if fitting == pin.version else candidates.files(fitting)[0][1]
    return Outdated(
        name=pin.name,
        chosen=pin.version,
        fitting=fitting,
        newest=newest,
        newer=sum(version > fitting for version in finals if not _is_left_out(candidates, version)),
        months=_months(file, candidates.page.versions[newest]),
        of=of,
        nearest=nearest,
    )


def _lacking(
    pin: Pin, version: Version, candidates: Candidates, alone: Alone
) -> tuple[NormalizedName, tuple[RefusedFile, ...]]:
    """Return which dependency of another version has no file for the target, with the closest of its files."""
    outcome = alone(_asking(pin, f"=={version}"))
    if not isinstance(outcome, NoCompatibleFile):
        return pin.name, ()
    files = [file for file in outcome.files if SourceOnly() not in file.reasons] or outcome.files
    nearest = [file for file in files if file.likeness == files[0].likeness]
    is_the_askers = any(_is_the_askers(why, candidates.policy) for file in nearest for why in file.reasons)
    return outcome.project, () if is_the_askers else tuple(nearest)


def _fitting(pin: Pin, finals: Iterable[Version], candidates: Candidates, alone: Alone) -> Version:
    """Return the newest version that the target would use if nothing else were required."""
    usable = (version for version in finals if candidates.files(version))
    if max(next(usable, pin.version), pin.version) == pin.version:
        return pin.version
    specifier = ",".join(
        {str(demand.requirement.specifier): None for demand in pin.demands if demand.requirement.specifier}
    )
    outcome = alone(_asking(pin, specifier))
    found = (other.version for other in outcome.pins if other.name == pin.name) if isinstance(outcome, Solution) else ()
    return max(next(iter(found), pin.version), pin.version)


def _asking(pin: Pin, specifier: str) -> Demand:
    extras = f"[{','.join(pin.extras)}]" if pin.extras else ""
    return Demand(requirement=requirement_of(f"{pin.name}{extras}{specifier}"), origin=Asked(place="the answer"))


def _finals(pin: Pin, candidates: Candidates, state: ResolutionState) -> Iterator[Version]:
    """Yield the final releases that all demands admit, newest first: newer ones, or all where a pre-release was
    chosen.
    """
    oldest = None if pin.version.is_prerelease else pin.version
    admitted = state.specifier(pin.name, pin.demands).filter(candidates.page.versions, prereleases=True)
    for version in admitted:
        if oldest is not None and version <= oldest:
            return
        if not version.is_prerelease:
            yield version


def _is_left_out(candidates: Candidates, version: Version) -> bool:
    """Return whether the target had no say in a release: it has no file, is yanked, or the user excluded it."""
    files = candidates.page.versions[version]
    if not files or all(file.yanked is not None for file in files):
        return True
    if candidates.files(version):
        return False
    reasons = [candidates.refusal(file) for file in files]
    untimely = all(any(isinstance(why, TooNew | NoUploadTime) for why in refused) for refused in reasons)
    return untimely or any(all(_is_the_askers(why, candidates.policy) for why in refused) for refused in reasons)


def _is_the_askers(why: Reason, policy: Policy) -> bool:
    """Return whether a reason is not the target's; sdists are excluded by default, unless they are allowed."""
    unwanted = isinstance(why, SourceOnly) and (why.no_binary or policy.allow_sdists)
    return unwanted or isinstance(why, NOT_OF_THE_TARGET)


def nearest_files(candidates: Candidates, version: Version) -> tuple[RefusedFile, ...]:
    """Return the closest group of files of a version that are rejected for the same kinds of reasons.

    Wheels come before a source distribution, which would rank close only because it is built for no platform.
    """
    listed = candidates.page.versions[version]
    wheels = [file for file in listed if isinstance(file, Wheel)]
    files = [_refused(file, candidates) for file in wheels or listed]
    files.sort(key=lambda refused: refused.closeness, reverse=True)
    _, group = next(groupby(files, lambda refused: [type(why) for why in refused.reasons]))
    return tuple(group)


def _refused(file: Listed, candidates: Candidates) -> RefusedFile:
    reasons = candidates.refusal(file)
    fits = fits_of(file, reasons, candidates.judge.target)
    return RefusedFile(filename=file.filename, version=file.version, reasons=reasons, fits=fits)


_DAY = pattern(r"(\d{4})-(\d\d)-(\d\d)[Tt ].*", re.ASCII | re.DOTALL)


def _months(file: Listed, newest: Iterable[Listed]) -> int | None:
    """Return the whole months from the upload of a file to the first upload of a newer release."""
    began = _day(file)
    uploads = [uploaded for other in newest if (uploaded := _day(other)) is not None]
    if began is None or not uploads:
        return None
    (year, month, day), (first_year, first_month, first_day) = min(uploads), began
    return max(0, 12 * (year - first_year) + month - first_month - (day < first_day))


def _day(file: Listed) -> tuple[int, int, int] | None:
    """Return year, month and day of an upload as the index publishes it."""
    stated = _DAY.fullmatch(file.upload_time or "")
    return (int(stated[1]), int(stated[2]), int(stated[3])) if stated else None


# -- held back by rules

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
