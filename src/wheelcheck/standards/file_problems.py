"""Reasons to reject a file that come from its bytes, its metadata or what is published about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelcheck.common.records import Variant, record

if TYPE_CHECKING:
    from wheelcheck.standards.project_page import Listed


@record
class DynamicMetadata(Variant):
    """A source distribution whose dependencies only a build could tell (core metadata 2.2, PEP 643).

    Attributes:
        fields: the fields that its metadata declares dynamic, lower case; empty for metadata older than 2.2, in which
            any field may change.
    """

    fields: tuple[str, ...] = ()


@record
class HashMismatch(Variant):
    """The hash of the file, or the hash that the index publishes, is not the expected one.

    Attributes:
        received: whether bytes that were received are others than what is published. Then no other version is tried,
            since somebody may have exchanged the file.
        of_metadata: whether it is the hash of the metadata that is served beside the file.
    """

    expected: tuple[str, ...]
    actual: str
    received: bool = False
    of_metadata: bool = False


@record
class NotListed(Variant):
    """A lock file names the file, but no index lists it. `url` is its location in the lock file, without secrets."""

    url: str


@record
class BadMetadata(Variant):
    """The core metadata of the file cannot be used.

    Attributes:
        ends_search: whether no other version is tried instead, as for a hash that differs: the file cannot be read at
            all, or contradicts what its index serves as its metadata. An installer stops there.
    """

    why: str
    ends_search: bool = False


class FileRefusedError(Exception):
    """A file that is refused, whatever else could be chosen instead; this ends the search, as in pip.

    Attributes:
        file: the file.
        reason: why it is refused.
    """

    def __init__(self, file: Listed, reason: HashMismatch | BadMetadata) -> None:
        super().__init__(file.filename)
        self.file = file
        self.reason = reason


def ends_search(found: object) -> bool:
    """Return whether what was found instead of metadata ends the search, rather than ruling out one file."""
    return (isinstance(found, HashMismatch) and found.received) or (
        isinstance(found, BadMetadata) and found.ends_search
    )
