"""Why a file cannot be used, as far as its bytes and its published facts say: each problem a value."""

from __future__ import annotations

from wheelcheck.common.records import Variant, record


@record
class DynamicMetadata(Variant):
    """A source distribution whose requirements only a build can tell (core metadata 2.2, PEP 643).

    `fields` are those that its metadata declares dynamic, lower case; empty where its metadata is older than 2.2, which
    promises nothing of any field.
    """

    fields: tuple[str, ...] = ()


@record
class HashMismatch(Variant):
    """The bytes, or the digests that the index states, are not those that were asked for."""

    expected: tuple[str, ...]
    actual: str


@record
class NotListed(Variant):
    """A lock file names it, and no source lists it. `url` is where the lock has it from, without secrets."""

    url: str


@record
class BadMetadata(Variant):
    """The core metadata inside the file cannot be used."""

    why: str
