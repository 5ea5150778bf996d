"""The files of a project with every reason against each, as it is asked for in one resolution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from packaging.version import Version

from wheelcheck.common.records import Plain, record
from wheelcheck.resolver.candidates import Candidates, is_pinned
from wheelcheck.resolver.compatibility import (
    Compatible,
    Incompatible,
    PreReleaseNotWanted,
    Reason,
    Verdict,
    Yanked,
    fits_of,
    in_order,
    unreadable_reason,
)
from wheelcheck.resolver.model import Demand, RefusedFile
from wheelcheck.resolver.state import Ledger
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, UnreadableFile, Wheel
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


@record
class JudgedFile:
    """A file of a project and what becomes of it."""

    file: Listed | UnreadableFile
    verdict: Verdict

    @property
    def filename(self) -> str:
        """The name of the file."""
        return self.file.filename

    @property
    def version(self) -> Version | None:
        """Its version; None where its name cannot be read."""
        return None if isinstance(self.file, UnreadableFile) else self.file.version

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason against it, in the order of the questions; none where it fits."""
        return self.verdict.reasons if isinstance(self.verdict, Incompatible) else ()

    def refused(self, target: Target) -> RefusedFile:
        """A file that does not fit, with what of it does."""
        fits = fits_of(self.file, self.reasons, target)
        return RefusedFile(filename=self.filename, version=self.version, reasons=self.reasons, fits=fits)

    def to_dict(self) -> dict[str, Plain]:
        """The form under `files` in an explanation."""
        version = None if self.version is None else str(self.version)
        return {"filename": self.filename, "version": version, **self.verdict.to_dict()}


class Refusals:
    """What becomes of each file of a project, as it is asked for in one resolution.

    Args:
        ledger: what was said so far; files whose metadata was not read may refuse themselves later.
        offers: what the project has for the target.
        specifier: what is asked of its version.
    """

    def __init__(self, ledger: Ledger, offers: Candidates, specifier: SpecifierSet) -> None:
        pre = ledger.question.policy.prereleases(offers.page.name)
        self._refused, self._offers = ledger.refused, offers
        self._matching = dict.fromkeys(offers.matching(specifier, pre=pre))
        self._takes_prereleases = offers.takes_prereleases(specifier, pre=pre)
        self._takes_withdrawn = is_pinned(specifier) and all(map(offers.is_withdrawn, self._matching))
        self.versions = tuple(specifier.filter(offers.page.versions, prereleases=True))

    def reasons(self, file: Listed) -> tuple[Reason, ...]:
        """Every reason against a file, in the order of the questions; none for one that may be chosen."""
        found = [*self._offers.refusal(file), *self._unwanted(file)]
        if file in self._refused:
            found.append(self._refused[file])
        return in_order(found)

    def _unwanted(self, file: Listed) -> Iterator[Reason]:
        """Reasons that follow from what is asked of the project, whatever the target."""
        if file.yanked is not None and not self._takes_withdrawn:
            yield Yanked(why=file.yanked)
        if file.version.is_prerelease and not self._takes_prereleases:
            yield PreReleaseNotWanted()

    def judged(self) -> Iterator[JudgedFile]:
        """Every file of the versions that are asked for, the newest first; of one version the nearest first."""
        for version in self.versions:
            yield from self._judged(version)
        for file in self._offers.page.stray:
            yield _unreadable(file)

    def _judged(self, version: Version) -> Iterator[JudgedFile]:
        usable = self._offers.files(version) if version in self._matching else ()
        fitting = {file: Compatible(rank=rank) for rank, file in usable if file not in self._refused}
        for file, verdict in fitting.items():
            yield JudgedFile(file=file, verdict=verdict)
        others = [self._refusal(file) for file in self._offers.page.shelf(version) if file not in fitting]
        yield from sorted(others, key=closeness, reverse=True)

    def _refusal(self, file: Listed | UnreadableFile) -> JudgedFile:
        if isinstance(file, UnreadableFile):
            return _unreadable(file)
        return JudgedFile(file=file, verdict=Incompatible(reasons=self.reasons(file)))


def _unreadable(file: UnreadableFile) -> JudgedFile:
    return JudgedFile(file=file, verdict=Incompatible(reasons=(unreadable_reason(file),)))


def closeness(judged: JudgedFile) -> tuple[bool, tuple[int, int], bool, tuple[int, ...], Version]:
    """Sorts files that do not fit: the larger, the nearer to being usable."""
    return RefusedFile(filename=judged.filename, version=judged.version, reasons=judged.reasons).closeness


def _is_prerelease(judged: JudgedFile) -> bool:
    return judged.version is not None and judged.version.is_prerelease


def every_file(ledger: Ledger, name: NormalizedName, demands: Iterable[Demand]) -> tuple[JudgedFile, ...]:
    """What becomes of each file of the versions of a project that some demands on it admit, the newest first."""
    offers = ledger.offers(name)
    return () if offers is None else tuple(Refusals(ledger, offers, ledger.specifier(name, demands)).judged())


def nearest_of(files: Iterable[JudgedFile], target: Target) -> RefusedFile | None:
    """The nearest of the files that do not fit and are newer than every final release that does; None without any.

    A wheel is nearer than a source distribution, which is refused whatever it is for.

    Args:
        files: judged files, the newest version first, of one version those that fit first.
        target: what they were judged for.
    """
    newer = takewhile(lambda judged: not judged.verdict or _is_prerelease(judged), files)
    refused = [judged for judged in newer if not judged.verdict]
    wheels = [judged for judged in refused if isinstance(judged.file, Wheel)]
    found = max(wheels or refused, key=closeness, default=None)
    return None if found is None else found.refused(target)
