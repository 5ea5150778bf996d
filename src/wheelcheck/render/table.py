"""Every file of a project as a table, newest version first: one a line, or grouped where there are too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from wheelcheck.render import phrases
from wheelcheck.render.layout import WIDTH, columns
from wheelcheck.resolver.compatibility import CHECK_ORDER, Compatible, PreReleaseNotWanted, WrongPlatformTag
from wheelcheck.standards.project_page import Sdist

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelcheck.resolver.rejections import JudgedFile

MAX_FILES = 40
"""Maximum number of files that are shown one a line."""

Cells: TypeAlias = "tuple[str, ...]"


def table(files: Sequence[JudgedFile], *, every: bool = False, width: int = WIDTH) -> Iterator[str]:
    """Yield the lines of the table; with `every`, each file has its own row."""
    rows = _one_by_one(files) if every or len(files) <= MAX_FILES else _folded(files)
    return columns([tuple(cell.replace("\n", " ") for cell in row) for row in rows], width)


def _one_by_one(files: Iterable[JudgedFile]) -> Iterator[Cells]:
    for judged in files:
        verdict = "; also ".join(map(phrases.reason, judged.reasons)) or "fits"
        yield _version(judged), judged.filename, verdict


def _version(judged: JudgedFile) -> str:
    return "-" if judged.version is None else str(judged.version)


# -- folded


class _Release:
    """The files of one version, grouped by verdict: compatible, or the first reason.

    The first group has the closest files, wheels before source distributions; it stands for the version.
    """

    def __init__(self, version: Version | None, files: Iterable[JudgedFile]) -> None:
        self.version = version
        self.kinds: dict[type, list[JudgedFile]] = {}
        for judged in sorted(files, key=lambda judged: not judged.verdict and isinstance(judged.file, Sdist)):
            self.kinds.setdefault(_kind(judged), []).append(judged)

    @property
    def fate(self) -> type:
        """The verdict on the closest files."""
        return next(iter(self.kinds))

    @property
    def nearest(self) -> list[JudgedFile]:
        """The closest files."""
        return self.kinds[self.fate]

    @property
    def is_left_aside(self) -> bool:
        """Whether it is a pre-release that is not accepted."""
        return any(isinstance(why, PreReleaseNotWanted) for judged in self.nearest for why in judged.reasons)


def _kind(judged: JudgedFile) -> type:
    return type(judged.reasons[0]) if judged.reasons else Compatible


def _folded(files: Sequence[JudgedFile]) -> Iterator[Cells]:
    """Yield runs of versions with the same verdict, then their other files by verdict."""
    by_version: dict[Version | None, list[JudgedFile]] = {}
    for judged in files:
        by_version.setdefault(judged.version, []).append(judged)
    unreadable = by_version.pop(None, [])
    releases = [_Release(version, group) for version, group in by_version.items()]
    yield from _runs([release for release in releases if not release.is_left_aside])
    aside = [release for release in releases if release.is_left_aside]
    yield from _headed("Pre-releases, which are not used:", _runs(aside))
    others = [judged for release in releases for judged in _beside(release)]
    yield from _headed("All other files of these versions:", _by_kind(others))
    yield from _headed("Files whose names cannot be read:", _by_kind(unreadable))


def _headed(heading: str, rows: Iterable[Cells]) -> Iterator[Cells]:
    for place, row in enumerate(rows):
        if place == 0:
            yield (heading,)
        yield row


def _runs(releases: Iterable[_Release]) -> Iterator[Cells]:
    for _, group in groupby(releases, lambda release: release.fate):
        run = list(group)
        yield _row([judged for release in run for judged in release.nearest])


def _beside(release: _Release) -> Iterator[JudgedFile]:
    for kind, files in release.kinds.items():
        yield from () if kind is release.fate else files


def _by_kind(files: Iterable[JudgedFile]) -> Iterator[Cells]:
    """Yield a row for each verdict, closest first."""
    kinds: dict[type, list[JudgedFile]] = {}
    for judged in files:
        kinds.setdefault(_kind(judged), []).append(judged)
    for kind in reversed(CHECK_ORDER):
        if kind in kinds:
            yield _row(kinds[kind])


def _row(files: Sequence[JudgedFile]) -> Cells:
    """Return the versions, the number and the verdict of files, newest version first."""
    versions = list(dict.fromkeys(map(_version, files)))
    span = versions[0] if len(versions) == 1 else f"{versions[-1]} to {versions[0]} ({len(versions)} versions)"
    return span, phrases.counted(len(files), "file"), _fate(files)


def _fate(files: Sequence[JudgedFile]) -> str:
    """Return the verdict on files with the same first reason."""
    first = [judged.reasons[0] for judged in files if judged.reasons]
    if not first:
        return f"fits: {files[0].filename}" if len(files) == 1 else "fit"
    common = phrases.joined(first)
    if isinstance(common, WrongPlatformTag):
        return f"built for {phrases.systems(common.have)}"
    alike = common != first[0] or all(why == common for why in first)
    return f"{phrases.reason(common)}{'' if alike else ' (and the like)'}"
