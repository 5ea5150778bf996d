"""Where a target is left behind: the projects of an answer whose newest final release has no file for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TypeAlias

from packaging.version import Version

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.resolver.candidates import Candidates
from wheelcheck.resolver.compatibility import (
    ForbiddenByRule,
    NoUploadTime,
    Quarantined,
    Reason,
    SourceOnly,
    TooNew,
    fits_of,
)
from wheelcheck.resolver.model import (
    Asked,
    Demand,
    NoCompatibleFile,
    Outcome,
    Outdated,
    Pin,
    Policy,
    RefusedFile,
    Solution,
)
from wheelcheck.resolver.state import Ledger
from wheelcheck.standards.file_problems import BadMetadata, HashMismatch
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, Wheel
from wheelcheck.standards.requirements import requirement_of

NOT_OF_THE_TARGET = (BadMetadata, HashMismatch, ForbiddenByRule, NoUploadTime, TooNew, Quarantined)
"""Reasons that are not the target's: who made the file, who asks, a rule or the index has left it out."""


Alone: TypeAlias = "Callable[[Demand], Outcome | None]"


def outdated(pins: Iterable[Pin], ledger: Ledger, alone: Alone) -> Iterator[Outdated]:
    """The projects of an answer whose newest final release, among those that all would take, fits the target nowhere.

    It may be that nothing fits which the release needs.

    Args:
        pins: the answer, or those of it that are in question.
        ledger: what was said on the way to it.
        alone: what comes of one demand beside the constraints; None where that is too much work.
    """
    for pin in pins:
        offers = ledger.offers(pin.name)
        found = _outgrown(pin, offers, ledger, alone) if offers is not None else None
        if found is not None:
            yield found


def _outgrown(pin: Pin, offers: Candidates, ledger: Ledger, alone: Alone) -> Outdated | None:
    if pin.version == next(iter(offers.page.versions)) and not pin.version.is_prerelease:
        return None
    finals = list(_finals(pin, offers, ledger))
    newest = next((version for version in finals if not _is_left_out(offers, version)), None)
    if newest is None:
        return None
    of, nearest = pin.name, nearest_files(offers, newest) if not offers.files(newest) else ()
    if not nearest and not pin.version.is_prerelease:
        of, nearest = _lacking(pin, newest, offers, alone)
    if not nearest:
        return None
    fitting = _fitting(pin, finals, offers, alone)
    file = pin.file if fitting == pin.version else offers.files(fitting)[0][1]
    return Outdated(
        name=pin.name,
        chosen=pin.version,
        fitting=fitting,
        newest=newest,
        newer=sum(version > fitting for version in finals if not _is_left_out(offers, version)),
        months=_months(file, offers.page.versions[newest]),
        of=of,
        nearest=nearest,
    )


def _lacking(
    pin: Pin, version: Version, offers: Candidates, alone: Alone
) -> tuple[NormalizedName, tuple[RefusedFile, ...]]:
    """What another version of a project needs and has no file for the target, with the nearest of its files."""
    told = alone(_asking(pin, f"=={version}"))
    if not isinstance(told, NoCompatibleFile):
        return pin.name, ()
    files = [file for file in told.files if SourceOnly() not in file.reasons] or told.files
    nearest = [file for file in files if file.likeness == files[0].likeness]
    is_the_askers = any(_is_the_askers(why, offers.policy) for file in nearest for why in file.reasons)
    return told.project, () if is_the_askers else tuple(nearest)


def _fitting(pin: Pin, finals: Iterable[Version], offers: Candidates, alone: Alone) -> Version:
    """The newest version that the target would take if nothing else were asked for."""
    usable = (version for version in finals if offers.files(version))
    if max(next(usable, pin.version), pin.version) == pin.version:
        return pin.version
    specifier = ",".join(
        {str(demand.requirement.specifier): None for demand in pin.demands if demand.requirement.specifier}
    )
    told = alone(_asking(pin, specifier))
    found = (other.version for other in told.pins if other.name == pin.name) if isinstance(told, Solution) else ()
    return max(next(iter(found), pin.version), pin.version)


def _asking(pin: Pin, specifier: str) -> Demand:
    extras = f"[{','.join(pin.extras)}]" if pin.extras else ""
    return Demand(requirement=requirement_of(f"{pin.name}{extras}{specifier}"), origin=Asked(place="the answer"))


def _finals(pin: Pin, offers: Candidates, ledger: Ledger) -> Iterator[Version]:
    """The final releases that all demands admit, newest first: newer ones, or all where a pre-release was chosen."""
    oldest = None if pin.version.is_prerelease else pin.version
    admitted = ledger.specifier(pin.name, pin.demands).filter(offers.page.versions, prereleases=True)
    for version in admitted:
        if oldest is not None and version <= oldest:
            return
        if not version.is_prerelease:
            yield version


def _is_left_out(offers: Candidates, version: Version) -> bool:
    """Whether the target had no say in a release: it has no file, is withdrawn, or was left out by the asker."""
    files = offers.page.versions[version]
    if not files or all(file.yanked is not None for file in files):
        return True
    if offers.files(version):
        return False
    reasons = [offers.refusal(file) for file in files]
    untimely = all(any(isinstance(why, TooNew | NoUploadTime) for why in refused) for refused in reasons)
    return untimely or any(all(_is_the_askers(why, offers.policy) for why in refused) for refused in reasons)


def _is_the_askers(why: Reason, policy: Policy) -> bool:
    """Whether a reason is not the target's; a source distribution is left out by default, unless they are allowed."""
    unwanted = isinstance(why, SourceOnly) and (why.no_binary or policy.allow_sdists)
    return unwanted or isinstance(why, NOT_OF_THE_TARGET)


def nearest_files(offers: Candidates, version: Version) -> tuple[RefusedFile, ...]:
    """Of the files of a version that are refused for the same kinds of reasons, the group that came nearest.

    Wheels speak before a source distribution, which would come near only because it is for no system at all.
    """
    listed = offers.page.versions[version]
    wheels = [file for file in listed if isinstance(file, Wheel)]
    files = [_refused(file, offers) for file in wheels or listed]
    files.sort(key=lambda refused: refused.closeness, reverse=True)
    _, group = next(groupby(files, lambda refused: [type(why) for why in refused.reasons]))
    return tuple(group)


def _refused(file: Listed, offers: Candidates) -> RefusedFile:
    reasons = offers.refusal(file)
    fits = fits_of(file, reasons, offers.judge.target)
    return RefusedFile(filename=file.filename, version=file.version, reasons=reasons, fits=fits)


_DAY = pattern(r"(\d{4})-(\d\d)-(\d\d)[Tt ].*", re.ASCII | re.DOTALL)


def _months(file: Listed, newest: Iterable[Listed]) -> int | None:
    """Whole months from the upload of a file to the first one of a newer release."""
    began = _day(file)
    uploads = [uploaded for other in newest if (uploaded := _day(other)) is not None]
    if began is None or not uploads:
        return None
    (year, month, day), (first_year, first_month, first_day) = min(uploads), began
    return max(0, 12 * (year - first_year) + month - first_month - (day < first_day))


def _day(file: Listed) -> tuple[int, int, int] | None:
    """Year, month and day of an upload as the index states it."""
    stated = _DAY.fullmatch(file.upload_time or "")
    return (int(stated[1]), int(stated[2]), int(stated[3])) if stated else None
