"""The requirements in a pyproject.toml: dependencies, extras and dependency groups, each with its table.

Standards: the pyproject.toml specification (PEP 621), and dependency groups (PEP 735). A project that names itself, as
in ``all = ["me[a,b]"]``, means its own lists; no index is queried for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from wheelcheck.common.records import field, record
from wheelcheck.standards.core_metadata import MetadataError
from wheelcheck.standards.markers import marker_text
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.requirements import fault_of
from wheelcheck.standards.source_metadata import Project, document_of, project_in, with_marker

if TYPE_CHECKING:
    from packaging.dependency_groups import DependencyGroupResolver
    from packaging.requirements import Requirement

DEPENDENCIES, OPTIONAL = "[project] dependencies", "[project.optional-dependencies]"
GROUPS = "[dependency-groups]"
REQUIRES_PYTHON = "[project] requires-python"

MAX_GROUPS = 1_000
"""Maximum number of the project's own extras that are read in one file, each once for each marker."""


@record
class Stated:
    """A requirement with its table, such as ``[dependency-groups] dev``."""

    requirement: Requirement
    table: str


@record(slots=False)
class Pyproject:
    """A parsed pyproject.toml.

    Attributes:
        document: its content.
        cycles: extras that include each other; each was read once.
    """

    document: Mapping[str, Any] = field(repr=False)
    cycles: list[tuple[str, ...]] = field(default_factory=list, compare=False)

    @classmethod
    def parse(cls, body: bytes) -> Pyproject:
        """Parse a file. Raises `MetadataError` where it is not TOML."""
        return cls(document=document_of(body))

    def project(self) -> Project:
        """Return its [project] table. Raises `MetadataError` where there is none, or it breaks the specification."""
        return project_in(self.document)

    def sources(self) -> set[NormalizedName]:
        """Return the projects for which uv has a source of its own, such as a path, a repository or an index."""
        table: object = self.document
        for key in ("tool", "uv", "sources"):
            table = table.get(key) if isinstance(table, Mapping) else None
        return set(map(canonicalize_name, table)) if isinstance(table, Mapping) else set()

    def dependencies(self, extras: Sequence[NormalizedName] = ()) -> Iterator[Stated]:
        """Yield the dependencies of its project and of some of its extras. Raises `MetadataError`."""
        project = self.project()
        seen: set[tuple[str, str]] = set()
        found = [self._plain(_listed(project.dependencies, DEPENDENCIES), project, seen, ())]
        found += [self._included(extra, "", "", project, seen, ()) for extra in extras]
        yield from chain.from_iterable(found)

    def group(self, name: str) -> Iterator[Stated]:
        """Yield the requirements of a dependency group and of those that it includes.

        Raises:
            MetadataError: there is no such group, or it breaks the specification.
        """
        stated = _of_group(_groups_in(self.document), name, ())
        yield from self._plain(stated, self._sound_project(), set(), ())

    def _sound_project(self) -> Project | None:
        """Return the project that a group may name, or None where it is missing or malformed, since groups need
        none.
        """
        try:
            return self.project()
        except MetadataError:
            return None

    def _plain(
        self,
        stated: Iterable[Stated],
        project: Project | None,
        seen: set[tuple[str, str]],
        above: tuple[str, ...],
    ) -> Iterator[Stated]:
        """Yield requirements on other projects, replacing those on the project itself by its lists."""
        for one in stated:
            if project is None or canonicalize_name(one.requirement.name) != project.metadata.name:
                yield one
                continue
            for extra in _own(one):
                yield from self._included(extra, marker_text(one.requirement), one.table, project, seen, above)

    def _included(
        self, extra: str, marker: str, table: str, project: Project, seen: set[tuple[str, str]], above: tuple[str, ...]
    ) -> Iterator[Stated]:
        """Yield what an extra of the project itself ("" for the project) expands to, under a table's marker."""
        if extra in above:
            self.cycles.append((*above[above.index(extra) :], extra))
            return
        if (extra, marker) in seen:
            return
        seen.add((extra, marker))
        if len(seen) > MAX_GROUPS:
            raise MetadataError(f"its extras name each other in more than {MAX_GROUPS} ways")
        within = _of_extra(project, canonicalize_name(extra), table) if extra else _of_project(project, table)
        held = (
            (Stated(requirement=with_marker(one.requirement, marker), table=one.table) if marker else one)
            for one in within
        )
        yield from self._plain(held, project, seen, (*above, extra))


def _listed(requirements: Iterable[Requirement], table: str) -> list[Stated]:
    return [Stated(requirement=requirement, table=table) for requirement in requirements]


def _own(one: Stated) -> Iterator[str]:
    """Return what a requirement on the project itself means: its extras, and from outside its dependencies ("")."""
    if one.table.startswith(GROUPS):
        yield ""
    yield from sorted(map(canonicalize_name, one.requirement.extras))


def _of_project(project: Project, table: str) -> list[Stated]:
    if "dependencies" in project.dynamic:
        raise MetadataError(f"{table} names the project itself, whose dependencies are left open (dynamic)")
    return _listed(project.dependencies, DEPENDENCIES)


def _of_extra(project: Project, extra: NormalizedName, table: str) -> list[Stated]:
    if extra not in project.optional:
        known = ", ".join(sorted(project.optional)) or "none"
        where = f"{table} requires" if table else "a requirement names"
        raise MetadataError(
            f"{where} the extra {extra} of the project itself, which has none of that name (it has: {known})"
        )
    return _listed(project.optional[extra], f"{OPTIONAL} {extra}")


# -- dependency groups


def _groups_in(document: Mapping[str, Any]) -> DependencyGroupResolver:
    from packaging.dependency_groups import DependencyGroupResolver
    from packaging.errors import ExceptionGroup

    table = document.get("dependency-groups", {})
    if not isinstance(table, dict):
        raise MetadataError("its dependency-groups are no table")
    try:
        return DependencyGroupResolver(table)
    except ExceptionGroup as errors:
        raise MetadataError(f"in {GROUPS}, {_first(errors)}") from None


def _of_group(
    groups: DependencyGroupResolver, name: str, above: tuple[str, ...], seen: set[str] | None = None
) -> Iterator[Stated]:
    """Yield the requirements of a group, each with its table; each group once."""
    from packaging.requirements import Requirement

    group = canonicalize_name(name)
    if group in above:
        loop = " -> ".join((*above[above.index(group) :], group))
        raise MetadataError(f"in {GROUPS}, groups include each other: {loop}")
    if group not in groups.dependency_groups:
        known = ", ".join(sorted(groups.dependency_groups)) or "none"
        by = f"{GROUPS} {above[-1]} includes the group {group}, and" if above else f"{GROUPS} has no group {group}:"
        raise MetadataError(f"{by} there are only: {known}" if known != "none" else f"{by} there are none")
    seen = set() if seen is None else seen
    if group in seen:
        return
    seen.add(group)
    for item in _items(groups, group):
        if isinstance(item, Requirement):
            yield Stated(requirement=item, table=f"{GROUPS} {group}")
        else:
            yield from _of_group(groups, item.include_group, (*above, group), seen)


def _items(groups: DependencyGroupResolver, group: str) -> Sequence[Any]:
    from packaging.errors import ExceptionGroup

    try:
        return groups.lookup(group)
    except ExceptionGroup as errors:
        raise MetadataError(f"in {GROUPS} {group}, {_first(errors)}") from None


def _first(errors: Any) -> str:
    return fault_of(errors.exceptions[0])
