"""What the metadata of a file says, held against the name of the file."""

from __future__ import annotations

from typing import TypeAlias

from packaging.version import InvalidVersion

from wheelcheck.distributions import Listed, Metadata, MetadataError, Sdist, parse_metadata
from wheelcheck.requirements import version_of
from wheelcheck.verdicts import BadMetadata, DynamicMetadata, HashMismatch

Told: TypeAlias = "Metadata | BadMetadata | HashMismatch | DynamicMetadata"
"""What a file says of itself, why it is refused for good, or, of a source distribution, that only a build can tell."""


def told_by(file: Listed, body: bytes) -> Metadata | BadMetadata | DynamicMetadata:
    """What the metadata of a file says, held against the file's name."""
    try:
        found = _parsed(file, body)
        if isinstance(found, DynamicMetadata):
            return found
        agrees = found.name == file.name and version_of(found.version) == file.version
    except (MetadataError, InvalidVersion) as error:
        return BadMetadata(why=str(error))
    if not agrees:
        return BadMetadata(why=f"it says that it is {found.name} {found.version}")
    return found


def _parsed(file: Listed, body: bytes) -> Metadata | DynamicMetadata:
    if not isinstance(file, Sdist):
        return parse_metadata(body)
    from wheelcheck.projects import static_metadata

    return static_metadata(body)
