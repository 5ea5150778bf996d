"""Where a target is left behind: the projects of an answer whose newest final release has no file for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from packaging.version import Version

from wheelcheck.distances import fits_of
from wheelcheck.distributions import Listed, Wheel
from wheelcheck.ledger import Ledger
from wheelcheck.names import NormalizedName
from wheelcheck.offers import Offers
from wheelcheck.outcomes import Candidate, Demand, Outgrown, Policy, RefusedFile
from wheelcheck.patterns import pattern
from wheelcheck.verdicts import ForbiddenByRule, HashMismatch, NoUploadTime, Quarantined, Reason, SourceOnly, TooNew

NOT_OF_THE_TARGET = (HashMismatch, ForbiddenByRule, NoUploadTime, TooNew, Quarantined)
"""Reasons that are not the target's: who asks, a rule or the index has left the file out."""


def outgrown(
    chosen: Mapping[NormalizedName, Candidate], demands: Mapping[NormalizedName, Sequence[Demand]], ledger: Ledger
) -> Iterator[Outgrown]:
    """The projects of an answer whose newest final release, among those that all would take, fits the target nowhere.

    Args:
        chosen: the candidate of each project in the answer.
        demands: what is asked of each of them in the answer.
        ledger: what was said on the way to it.
    """
    for name, candidate in sorted(chosen.items()):
        offers = ledger.offers(name)
        found = _outgrown(candidate, demands[name], offers, ledger) if offers is not None else None
        if found is not None:
            yield found


def _outgrown(candidate: Candidate, demands: Sequence[Demand], offers: Offers, ledger: Ledger) -> Outgrown | None:
    if candidate.version == next(iter(offers.page.versions)) and not candidate.version.is_prerelease:
        return None
    finals = list(_finals(candidate, demands, offers, ledger))
    newest = next((version for version in finals if not _is_left_out(offers, version)), None)
    if newest is None or offers.files(newest):
        return None
    return Outgrown(
        name=candidate.name,
        chosen=candidate.version,
        newest=newest,
        newer=sum(version > candidate.version and not offers.files(version) for version in finals),
        months=_months(candidate.file, offers.page.versions[newest]),
        nearest=nearest_files(offers, newest),
    )


def _finals(candidate: Candidate, demands: Sequence[Demand], offers: Offers, ledger: Ledger) -> Iterator[Version]:
    """The final releases that all demands admit, newest first: newer ones, or all where a pre-release was chosen."""
    oldest = None if candidate.version.is_prerelease else candidate.version
    admitted = ledger.specifier(candidate.name, demands).filter(offers.page.versions, prereleases=True)
    for version in admitted:
        if oldest is not None and version <= oldest:
            return
        if not version.is_prerelease:
            yield version


def _is_left_out(offers: Offers, version: Version) -> bool:
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


def nearest_files(offers: Offers, version: Version) -> tuple[RefusedFile, ...]:
    """Of the files of a version that are refused for the same kinds of reasons, the group that came nearest.

    Wheels speak before a source distribution, which would come near only because it is for no system at all.
    """
    listed = offers.page.versions[version]
    wheels = [file for file in listed if isinstance(file, Wheel)]
    files = [_refused(file, offers) for file in wheels or listed]
    files.sort(key=lambda refused: refused.closeness, reverse=True)
    _, group = next(groupby(files, lambda refused: [type(why) for why in refused.reasons]))
    return tuple(group)


def _refused(file: Listed, offers: Offers) -> RefusedFile:
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
