"""The candidates of a project for one target: usable files by version, and the versions that match a specifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from wheelcheck.common.urls import path_of_url
from wheelcheck.resolver.compatibility import (
    Incompatible,
    Judge,
    NoUploadTime,
    Quarantined,
    Reason,
    SourceOnly,
    TooNew,
    in_order,
)
from wheelcheck.resolver.model import Demand, Policy
from wheelcheck.standards.file_problems import HashMismatch
from wheelcheck.standards.filenames import tags_in
from wheelcheck.standards.project_page import Listed, ProjectPage, Sdist, UnreadableFile, Wheel
from wheelcheck.standards.specifiers import extent, together, version_of

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


class Candidates:
    """The files of a project that a target may use.

    Args:
        page: what the indexes list.
        judge: gives verdicts for the target.
        policy: which files are accepted, whatever the target.
        hashes: hashes (``sha256:...``) of which a file must have one; None for any.
    """

    def __init__(self, page: ProjectPage, judge: Judge, policy: Policy, hashes: frozenset[str] | None = None) -> None:
        self.page = page
        self.judge = judge
        self.policy = policy
        self.hashes = hashes
        self._wheels = policy.wheels(page.name)
        self._sdists = policy.sdists(page.name)
        self._files: dict[Version, tuple[tuple[int, Listed], ...]] = {}

    @property
    def is_quarantined(self) -> bool:
        """Whether an index has quarantined the project (PEP 792)."""
        return self.page.status == "quarantined"

    @property
    def versions(self) -> Iterator[Version]:
        """Versions with at least one usable file, newest first."""
        return filter(self.files, self.page.versions)

    def files(self, version: Version) -> tuple[tuple[int, Listed], ...]:
        """Return rank and file of each usable file of a version, best first."""
        try:
            return self._files[version]
        except KeyError:
            return self._files.setdefault(version, tuple(self._usable(version)))

    def _usable(self, version: Version) -> Iterator[tuple[int, Listed]]:
        """Sort the usable files by tag rank, then the higher build number, then the later source, as pip does.

        Source distributions come last; they count where every wheel is rejected. Yanked files count only where the
        version has no others.
        """
        found = []
        listed = set()
        for rank, place, file in () if self.is_quarantined else self._ranked(version):
            same = (file.url, *sorted(file.hashes.items()))  # of one file listed twice, the first counts, as in pip
            if same in listed:
                continue
            listed.add(same)
            if self.judge.admits(file) and self._is_wanted(file) and not self._untimely(file):
                found.append((-rank, getattr(file, "build", ()), place, file))
        kept = [item for item in found if item[3].yanked is None] or found
        for negative, _, _, file in sorted(kept, key=lambda item: item[:3], reverse=True):
            yield -negative, file

    def _ranked(self, version: Version) -> Iterator[tuple[int, int, Listed]]:
        """Yield rank, position and file of those that pass by their names; only these are parsed any further."""
        files = self.page.files_of(version)
        for place, filename in enumerate(files.names):
            rank = self._rank(filename)
            if rank is not None and not isinstance(files[place], UnreadableFile):
                yield rank, place, files[place]

    def _rank(self, filename: str) -> int | None:
        if filename.endswith(".whl"):
            return self.judge.rank(tags_in(filename)) if self._wheels else None
        return len(self.judge.target.tags) if self._sdists else None

    def is_source_only(self, version: Version) -> bool:
        """Return whether the best usable file of a version is a source distribution."""
        return any(isinstance(file, Sdist) for _, file in self.files(version)[:1])

    def _untimely(self, file: Listed) -> TooNew | NoUploadTime | None:
        """Return why the upload time rules out a file. Local files have none and pass."""
        limit = self.policy.exclude_newer
        if limit is None:
            return None
        from wheelcheck.common.dates import instant_of, shown

        uploaded = instant_of(file.upload_time)
        if uploaded is not None:
            return TooNew(uploaded=shown(uploaded), limit=shown(limit)) if uploaded >= limit else None
        return None if self.policy.allow_no_upload_time or self._is_own(file) else NoUploadTime(limit=shown(limit))

    def _is_own(self, file: Listed) -> bool:
        """Return whether no index lists the file: the user names it, or it is in a local directory that the user
        names.
        """
        return not file.index or (file.index not in self.page.indexes and path_of_url(file.url) is not None)

    def _is_wanted(self, file: Listed) -> bool:
        if self.hashes is None:
            return True
        is_given = any(f"{algorithm}:{digest}" in self.hashes for algorithm, digest in file.hashes.items())
        return is_given or bool(self.uncompared(file))

    def uncompared(self, file: Listed) -> frozenset[str]:
        """Return the algorithms of the given hashes where its index publishes none of these kinds for a file."""
        algorithms = frozenset(wanted.partition(":")[0] for wanted in self.hashes or ())
        return frozenset() if any(algorithm in file.hashes for algorithm in algorithms) else algorithms

    def matching(self, specifier: SpecifierSet, *, pre: bool | None = None) -> Iterator[Version]:
        """Return the versions that a specifier admits, newest first.

        Pre-releases are included if `pre` is true and excluded if it is false; if it is None, they are included if the
        specifier names one or nothing else matches (PEP 440). Yanked versions are included only if the specifier pins
        one (PEP 592).
        """
        found = specifier.filter(self.admitted(specifier), prereleases=pre)
        if not is_pinned(specifier):
            return (version for version in found if not self.is_yanked(version))
        pinned = list(found)
        return iter([version for version in pinned if not self.is_yanked(version)] or pinned)

    def admitted(self, specifier: SpecifierSet) -> Iterator[Version]:
        """Return the usable versions that a specifier admits, newest first, including pre-releases and yanked ones."""
        return filter(self.files, specifier.filter(self._near(specifier), prereleases=True))

    def _near(self, specifier: SpecifierSet) -> Iterable[Version]:
        """Yield the versions within the bounds of a specifier, newest first."""
        pins = (s.version for s in specifier if s.operator == "==" and not s.version.endswith(".*"))
        pin = next(pins, None)
        return self.page.between(*extent(specifier)) if pin is None else self.page.alike(version_of(pin))

    def takes_prereleases(self, specifier: SpecifierSet, *, pre: bool | None = None) -> bool:
        """Return whether `matching` includes pre-releases, if any are usable and not yanked."""
        if pre is not None or specifier.prereleases:
            return pre is not False
        return all(version.is_prerelease for version in self.admitted(specifier))

    def is_yanked(self, version: Version) -> bool:
        """Return whether all usable files of a version are yanked."""
        return all(file.yanked is not None for _, file in self.files(version))

    def refusal(self, file: Listed) -> tuple[Reason, ...]:
        """Return every reason against a listed file; empty for a usable one."""
        verdict = self.judge.verdict(file)
        reasons = list(verdict.reasons) if isinstance(verdict, Incompatible) else []
        if self._sdists:
            reasons = [reason for reason in reasons if not isinstance(reason, SourceOnly)]
        if not self._wheels and isinstance(file, Wheel):
            reasons.append(SourceOnly(no_binary=True))
        if self.is_quarantined:
            reasons.append(Quarantined())
        if self.hashes is not None and not self._is_wanted(file):
            reasons.append(HashMismatch(expected=tuple(sorted(self.hashes)), actual=file.hashes.get("sha256", "")))
        untimely = self._untimely(file)
        if untimely:
            reasons.append(untimely)
        return in_order(reasons)


def is_pinned(specifier: SpecifierSet) -> bool:
    """Return whether a specifier pins one version."""
    return any(s.operator == "===" or (s.operator == "==" and not s.version.endswith(".*")) for s in specifier)


def is_bounded_above(specifier: SpecifierSet) -> bool:
    """Return whether a specifier has an upper bound without pinning one version."""
    return any(s.operator in ("<", "<=", "~=") or (s.operator == "==" and s.version.endswith(".*")) for s in specifier)


def combined(demands: Iterable[Demand]) -> SpecifierSet:
    """Return the intersection of the specifiers of some demands."""
    return together(demand.requirement.specifier for demand in demands)
