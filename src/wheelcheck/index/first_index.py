"""The pages of several indexes as they are where the first index that has a project supplies it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import ProjectPage, Shelf, UnreadableFile

if TYPE_CHECKING:
    from wheelcheck.index.index import Index


class FirstIndex:
    """An index seen under ``first-index``, from the pages that it has mixed; nothing more is asked for it.

    Args:
        index: which mixes all of its sources.
        order: its indexes, as they are named in answers, in the order in which they would be asked.
    """

    def __init__(self, index: Index, order: Sequence[str]) -> None:
        self._index = index
        self._order = order

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def start_page(self, name: NormalizedName, _: Callable[[ProjectPage], None] | None = None) -> None:
        """Begins to fetch a page; nobody is told of it, since that would be the mixed one."""
        self._index.start_page(name)

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """The page of the first index that has a project, with what places of links have of it."""
        page = self._index.page(name)
        if page is None or len(page.indexes) < 2:
            return page
        return _of_one(page, next(index for index in (*self._order, *page.indexes) if index in page.indexes))


def _of_one(page: ProjectPage, index: str) -> ProjectPage:
    others = set(page.indexes) - {index}
    versions = tuple(page.versions)

    def shelf(place: int) -> Shelf:
        files = page.shelf(versions[place])
        return Shelf.of([file for file in files if isinstance(file, UnreadableFile) or file.index not in others])

    return ProjectPage.of_shelves(
        page.name,
        versions,
        shelf,
        page.stray,
        status=page.status,
        status_reason=page.status_reason,
        indexes=(index,),
    )
