"""Every reason against each file of a project, in the context of one resolution."""

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
from wheelcheck.resolver.state import ResolutionState
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, UnreadableFile, Wheel
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


@record
class JudgedFile:
    """A file of a project with its verdict."""

    file: Listed | UnreadableFile
    verdict: Verdict

    @property
    def filename(self) -> str:
        """The file name."""
        return self.file.filename

    @property
    def version(self) -> Version | None:
        """Its version; None where its name is invalid."""
        return None if isinstance(self.file, UnreadableFile) else self.file.version

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason against it, in the order of the checks; none where it is usable."""
        return self.verdict.reasons if isinstance(self.verdict, Incompatible) else ()

    def refused(self, target: Target) -> RefusedFile:
        """Return it as a rejected file, with the axes on which it matches."""
        fits = fits_of(self.file, self.reasons, target)
        return RefusedFile(filename=self.filename, version=self.version, reasons=self.reasons, fits=fits)

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `files` in an explanation."""
        version = None if self.version is None else str(self.version)
        return {"filename": self.filename, "version": version, **self.verdict.to_dict()}


class Refusals:
    """Verdicts on the files of a project in one resolution.

    Args:
        state: what the resolution has recorded; files whose metadata was not read may still reject themselves.
        candidates: what the project has for the target.
        specifier: what is required of its version.
    """

    def __init__(self, state: ResolutionState, candidates: Candidates, specifier: SpecifierSet) -> None:
        pre = state.question.policy.prereleases(candidates.page.name)
        self._refused, self._candidates = state.refused, candidates
        self._matching = dict.fromkeys(candidates.matching(specifier, pre=pre))
        self._takes_prereleases = candidates.takes_prereleases(specifier, pre=pre)
        self._takes_yanked = is_pinned(specifier) and all(map(candidates.is_yanked, self._matching))
        self.versions = tuple(specifier.filter(candidates.page.versions, prereleases=True))

    def reasons(self, file: Listed) -> tuple[Reason, ...]:
        """Return every reason against a file, in the order of the checks; none for one that may be chosen."""
        found = [*self._candidates.refusal(file), *self._unwanted(file)]
        if file in self._refused:
            found.append(self._refused[file])
        return in_order(found)

    def _unwanted(self, file: Listed) -> Iterator[Reason]:
        """Return the reasons that follow from the requirements on the project, whatever the target."""
        if file.yanked is not None and not self._takes_yanked:
            yield Yanked(why=file.yanked)
        if file.version.is_prerelease and not self._takes_prereleases:
            yield PreReleaseNotWanted()

    def judged(self) -> Iterator[JudgedFile]:
        """Return every file of the admitted versions, newest first, within a version closest first."""
        for version in self.versions:
            yield from self._judged(version)
        for file in self._candidates.page.stray:
            yield _unreadable(file)

    def _judged(self, version: Version) -> Iterator[JudgedFile]:
        usable = self._candidates.files(version) if version in self._matching else ()
        fitting = {file: Compatible(rank=rank) for rank, file in usable if file not in self._refused}
        for file, verdict in fitting.items():
            yield JudgedFile(file=file, verdict=verdict)
        others = [self._refusal(file) for file in self._candidates.page.files_of(version) if file not in fitting]
        yield from sorted(others, key=closeness, reverse=True)

    def _refusal(self, file: Listed | UnreadableFile) -> JudgedFile:
        if isinstance(file, UnreadableFile):
            return _unreadable(file)
        return JudgedFile(file=file, verdict=Incompatible(reasons=self.reasons(file)))


def _unreadable(file: UnreadableFile) -> JudgedFile:
    return JudgedFile(file=file, verdict=Incompatible(reasons=(unreadable_reason(file),)))


def closeness(judged: JudgedFile) -> tuple[bool, tuple[int, int], bool, tuple[int, ...], Version]:
    """A sort key for rejected files: the larger, the closer."""
    return RefusedFile(filename=judged.filename, version=judged.version, reasons=judged.reasons).closeness


def _is_prerelease(judged: JudgedFile) -> bool:
    return judged.version is not None and judged.version.is_prerelease


def every_file(state: ResolutionState, name: NormalizedName, demands: Iterable[Demand]) -> tuple[JudgedFile, ...]:
    """Return the verdict on each file of the versions that some demands on a project admit, newest first."""
    candidates = state.candidates(name)
    return () if candidates is None else tuple(Refusals(state, candidates, state.specifier(name, demands)).judged())


def nearest_of(files: Iterable[JudgedFile], target: Target) -> RefusedFile | None:
    """Return the closest rejected file that is newer than every usable final release; None without any.

    A wheel is closer than a source distribution, which is rejected whatever it is for.

    Args:
        files: judged files, newest version first, within a version usable ones first.
        target: the target that they were judged for.
    """
    newer = takewhile(lambda judged: not judged.verdict or _is_prerelease(judged), files)
    refused = [judged for judged in newer if not judged.verdict]
    wheels = [judged for judged in refused if isinstance(judged.file, Wheel)]
    found = max(wheels or refused, key=closeness, default=None)
    return None if found is None else found.refused(target)
