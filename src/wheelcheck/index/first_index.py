"""The index strategy ``first-index``, seen through an index that mixes its sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import ProjectPage, UnreadableFile, VersionFiles

if TYPE_CHECKING:
    from wheelcheck.resolver.model import PackageIndex


class FirstIndex:
    """A view of an index under ``first-index``, made from its mixed pages; it causes no request of its own.

    Args:
        index: an index that mixes all of its sources.
        order: the names of its sources in the order in which first-index would ask them.
    """

    def __init__(self, index: PackageIndex, order: Sequence[str]) -> None:
        self._index = index
        self._order = order
        self.start_metadata = index.start_metadata
        self.metadata = index.metadata
        self.direct = index.direct

    def start_page(self, name: NormalizedName, _: Callable[[ProjectPage], None] | None = None) -> None:
        """Begin to fetch a page; the callback is dropped, since it would get the mixed page."""
        self._index.start_page(name)

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """Return the page of the first source that has a project, with its files from find-links locations."""
        page = self._index.page(name)
        if page is None or len(page.indexes) < 2:
            return page
        return _of_one(page, next(index for index in (*self._order, *page.indexes) if index in page.indexes))


def _of_one(page: ProjectPage, index: str) -> ProjectPage:
    others = set(page.indexes) - {index}
    versions = tuple(page.versions)

    def files_of(place: int) -> VersionFiles:
        files = page.files_of(versions[place])
        return VersionFiles.of([file for file in files if isinstance(file, UnreadableFile) or file.index not in others])

    return ProjectPage.from_files_of(
        page.name,
        versions,
        files_of,
        page.stray,
        status=page.status,
        status_reason=page.status_reason,
        indexes=(index,),
    )
