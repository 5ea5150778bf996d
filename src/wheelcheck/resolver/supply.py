"""The seam at which the resolver asks: pages and metadata, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wheelcheck.standards.distributions import Listed, Metadata, ProjectPage, UnreadableFile
    from wheelcheck.standards.file_problems import BadMetadata, DynamicMetadata, HashMismatch, NotListed
    from wheelcheck.standards.names import NormalizedName


class Supply(Protocol):
    """Where pages and metadata come from; `start_*` only says what will probably be asked for next."""

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Begins to fetch a page; `then` is called with it in a worker."""

    def page(self, name: NormalizedName) -> ProjectPage | None:
        """The page, or None where no index has the project."""

    def start_metadata(self, file: Listed, then: Callable[[object], None] | None = None) -> None:
        """Begins to read the metadata of a file; `then` is called with what it came to, perhaps in a worker."""

    def metadata(self, file: Listed) -> Metadata | BadMetadata | HashMismatch | DynamicMetadata | NotListed:
        """The metadata of a file, or why it refuses the file, or that only a build can tell."""

    def direct(self, url: str, name: NormalizedName, wanted: Collection[str] = ()) -> Listed | UnreadableFile:
        """The file that the user names for a project, with its digests where some are wanted of it."""
