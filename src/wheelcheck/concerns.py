"""What is wrong with an answer that works, each concern a value with a level: ``warning`` or ``note``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from packaging.version import Version

from wheelcheck.distributions import Listed, ProjectPage, Sdist
from wheelcheck.names import NormalizedName
from wheelcheck.outcomes import Asked, NeededBy, Pin, Policy, Solution
from wheelcheck.rules import Rule
from wheelcheck.values import Plain, Variant, fields_of, plain, record

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from wheelcheck import confirmation


class _Concern(Variant):
    """A concern leaves an answer compatible; under ``--strict`` a warning does not."""

    __slots__ = ()

    @property
    def level(self) -> str:
        """``warning`` or ``note``."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Plain]:
        """The form under `concerns` in a report."""
        return {"kind": self.kind, "level": self.level} | fields_of(self)


@record
class PreRelease(_Concern):
    """A pre-release was chosen without being asked for: no final release fits."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version


@record
class Yanked(_Concern):
    """The chosen file was withdrawn by its publisher and taken because it was pinned."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    why: str


@record
class HeldBack(_Concern):
    """Curated rules kept a project below `instead_of`, which metadata alone would admit beside the rest."""

    level: ClassVar[str] = "note"
    project: NormalizedName
    version: Version
    instead_of: Version
    rules: tuple[Rule, ...]

    def to_dict(self) -> dict[str, Plain]:
        """The form under `concerns` in a report; the rules stand in full under `rules` there."""
        return {
            "kind": self.kind,
            "level": self.level,
            "project": self.project,
            "version": str(self.version),
            "instead_of": str(self.instead_of),
            "rules": plain([rule.id for rule in self.rules]),
        }


@record
class SourceOnly(_Concern):
    """A source distribution was chosen: no wheel of that version fits, and whether it builds was not tried."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version


@record
class ProjectStatus(_Concern):
    """What an index says of the state of a project (PEP 792). `why` is in its words, empty where it gives no reason."""

    project: NormalizedName
    status: str
    why: str

    @property
    def level(self) -> str:
        """A warning for ``deprecated``, which speaks against using the project; a note for all others."""
        return "warning" if self.status == "deprecated" else "note"


@record
class Elsewhere:
    """What a further index that has a project lists in place of the chosen file.

    `has` is ``nothing`` where it lists no file of that name, ``other`` where the file has another hash, and
    ``unproven`` where no hash that both indexes state proves that the file is the same.
    """

    index: str
    has: str


@record
class SeveralIndexes(_Concern):
    """The chosen file is not the same, by name and hash, on every index that has the project (dependency confusion).

    Attributes:
        project, version, filename: what was chosen.
        chosen: the index that it comes from.
        others: the further indexes that have the project, but not this file.
    """

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    filename: str
    chosen: str
    others: tuple[Elsewhere, ...]


@record
class MarkerUnknown(_Concern):
    """A requirement of a chosen file hangs on what nobody knows of the target; it was decided as if that were empty."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    requirement: Requirement


@record
class InstalledDiffers(_Concern):
    """What was imported is not what the answer pins. `installed` is None where the project is not there."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    installed: str | None


@record
class NotTried(_Concern):
    """An import was asked for and not tried. `project` is None where none was, on account of the target."""

    level: ClassVar[str] = "warning"
    project: str | None
    why: confirmation.NotTried


Concern: TypeAlias = (
    "PreRelease | Yanked | SourceOnly | ProjectStatus | SeveralIndexes | HeldBack | MarkerUnknown"
    " | InstalledDiffers | NotTried"
)

WEAK_HASHES = frozenset({"md5", "sha1"})
"""Algorithms for which somebody can make another file with the same digest."""


def concerns_of(solution: Solution, policy: Policy, pages: Mapping[NormalizedName, ProjectPage]) -> tuple[Concern, ...]:
    """The concerns that an answer bears by itself.

    Args:
        solution: the answer.
        policy: how it was chosen.
        pages: what the sources list of the projects in it; a project whose file the user names has none.
    """
    return tuple(_concerns(solution, policy, pages))


def _concerns(solution: Solution, policy: Policy, pages: Mapping[NormalizedName, ProjectPage]) -> Iterator[Concern]:
    for pin in solution.pins:
        yield from _about_file(pin, policy)
        if pin.name in pages:
            yield from _about_page(pin, pages[pin.name])
    for held in solution.held_back:
        yield HeldBack(project=held.name, version=held.chosen, instead_of=held.instead_of, rules=held.rules)
    for demand in solution.unknown_markers:
        assert isinstance(demand.origin, NeededBy)
        about = demand.origin
        yield MarkerUnknown(project=about.name, version=about.version, requirement=demand.requirement)


def _about_file(pin: Pin, policy: Policy) -> Iterator[Concern]:
    wanted = policy.prereleases(pin.name) or _asked_for_pre_release(pin)
    if pin.version.is_prerelease and not wanted:
        yield PreRelease(project=pin.name, version=pin.version)
    if pin.file.yanked is not None:
        yield Yanked(project=pin.name, version=pin.version, why=pin.file.yanked)
    if isinstance(pin.file, Sdist):
        yield SourceOnly(project=pin.name, version=pin.version)


def _about_page(pin: Pin, page: ProjectPage) -> Iterator[Concern]:
    if page.status is not None:
        yield ProjectStatus(project=pin.name, status=page.status, why=page.status_reason)
    is_mixed = pin.file.index in page.indexes and len(page.indexes) > 1
    others = tuple(_elsewhere(pin.file, page)) if is_mixed else ()
    if others:
        file = pin.file
        yield SeveralIndexes(
            project=pin.name, version=pin.version, filename=file.filename, chosen=file.index, others=others
        )


def _elsewhere(file: Listed, page: ProjectPage) -> Iterator[Elsewhere]:
    """The further indexes on which a chosen file is not the same."""
    namesakes = [other for other in page.versions.get(file.version, ()) if other.filename == file.filename]
    for index in page.indexes:
        has = _difference(file, [other for other in namesakes if other.index == index])
        if index != file.index and has:
            yield Elsewhere(index=index, has=has)


def _difference(file: Listed, namesakes: Iterable[Listed]) -> str | None:
    """How an index's files of one name differ from the chosen one; None where each is proved to be the same."""
    found = [_proof(file.hashes, other.hashes) for other in namesakes]
    return min(found, key=("other", "unproven", None).index) if found else "nothing"


def _proof(hashes: Mapping[str, str], others: Mapping[str, str]) -> str | None:
    common = hashes.keys() & others.keys()
    if any(hashes[algorithm] != others[algorithm] for algorithm in common):
        return "other"
    return None if common - WEAK_HASHES else "unproven"


def _asked_for_pre_release(pin: Pin) -> bool:
    asked = (demand for demand in pin.demands if isinstance(demand.origin, Asked))
    return any(demand.requirement.specifier.prereleases or demand.requirement.url for demand in asked)
