"""Reasons to reject a file that come from its bytes, its metadata or what is published about it."""

from __future__ import annotations

from wheelcheck.common.records import Variant, record


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
    """The hash of the file, or the hash that the index publishes, is not the expected one."""

    expected: tuple[str, ...]
    actual: str


@record
class NotListed(Variant):
    """A lock file names the file, but no index lists it. `url` is its location in the lock file, without secrets."""

    url: str


@record
class BadMetadata(Variant):
    """The core metadata of the file cannot be used."""

    why: str
