"""Core metadata: the fields of METADATA and PKG-INFO that decide compatibility."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import field, record
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.requirements import fault_of, requirement_of
from wheelcheck.standards.specifiers import excess_of, version_of

if TYPE_CHECKING:
    from packaging.requirements import Requirement


MAX_FIELDS = 20_000
"""Maximum number of header fields; no published metadata comes near."""
MAX_REQUIREMENTS = 2**20
"""Maximum length of all requirements together, in characters."""


class MetadataError(ValueError):
    """Core metadata that cannot be used; the text says why.

    Attributes:
        of_requirement: whether only a requirement is invalid, for which installers try another version.
    """

    def __init__(self, why: str, *, of_requirement: bool = False) -> None:
        super().__init__(why)
        self.of_requirement = of_requirement


@record
class Metadata:
    """The fields of core metadata that compatibility depends on.

    Attributes:
        name, version: as published, the name normalized.
        requires_dist: all requirements, markers unevaluated.
        requires_python: the specifier, or None.
        extras: the extras that it provides, normalized.
        dynamic: fields that a build may change (PEP 643), lower case.
        beside: the name and version in what an index serves as the metadata of the file (PEP 658), as lines, where they
            are those of something else, so that the file itself was read.
    """

    name: NormalizedName
    version: str
    requires_dist: tuple[Requirement, ...] = ()
    requires_python: str | None = None
    extras: frozenset[NormalizedName] = frozenset()
    dynamic: frozenset[str] = frozenset()
    beside: tuple[str, ...] = field(default=(), compare=False)


def parse_metadata(body: bytes) -> Metadata:
    """Parse the headers of METADATA or PKG-INFO; the description is skipped.

    Raises:
        MetadataError: not UTF-8, no name, no valid version, or a requirement that cannot be parsed. An invalid
            Requires-Python is accepted, since older releases have such and pip ignores it.
    """
    many = _fields(body)
    name, version = _only(many, "name"), _only(many, "version")
    try:
        version_of(version)
    except InvalidVersion as error:
        raise MetadataError(str(error)) from None
    python = many.get("requires-python", [""])[0]
    if excess := excess_of(python):
        raise MetadataError(f"its Requires-Python {excess}")
    if sum(map(len, many.get("requires-dist", ()))) > MAX_REQUIREMENTS:
        raise MetadataError(f"its requirements have more than {MAX_REQUIREMENTS:,} characters")
    try:
        requires = tuple(requirement_of(text) for text in many.get("requires-dist", ()))
    except ValueError as error:
        raise MetadataError(
            f"it has a requirement that cannot be parsed: {fault_of(error)}", of_requirement=True
        ) from None
    return Metadata(
        name=canonicalize_name(name),
        version=version,
        requires_dist=requires,
        requires_python=python or None,
        extras=frozenset(canonicalize_name(extra) for extra in many.get("provides-extra", ())),
        dynamic=frozenset(value.lower() for value in many.get("dynamic", ())),
    )


def identity_of(body: bytes) -> tuple[str, str]:
    """Return name and version in METADATA or PKG-INFO as they are written there. Raises `MetadataError` for none."""
    many = _fields(body)
    return _only(many, "name"), _only(many, "version")


def _fields(body: bytes) -> dict[str, list[str]]:
    many: dict[str, list[str]] = {}
    for number, (key, value) in enumerate(_headers(body)):
        if number == MAX_FIELDS:
            raise MetadataError(f"it has more than {MAX_FIELDS:,} fields")
        many.setdefault(key, []).append(value)
    return many


_EMPTY_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r|\n)")


_LINE = pattern(r"(?:[^\r\n]|(?:\r\n|\r|\n)(?=[ \t]))+")
"""A line with those that continue it."""
_FIELD = pattern(r"[!-9;-~]*:|From ")


def _headers(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the header fields as they are written, names in lower case.

    They end at the first empty line, or at the first one that is no field, as in the email parser of the standard
    library, by which installers read. Like these, this refuses a description that is not UTF-8.
    """
    end = _EMPTY_LINE.search(body)
    try:
        if not body.isascii():
            body.decode("utf-8")
        text = body[: end.start() if end else len(body)].decode("utf-8")
    except UnicodeDecodeError as error:
        raise MetadataError(f"it is not UTF-8 (byte {error.start})") from None
    if text.startswith(("\r", "\n")):
        return
    for found in _LINE.finditer(text):
        line = found[0]
        if _FIELD.match(line) is None:
            return
        key, colon, value = line.partition(":")
        if colon:
            yield key.lower(), value.lstrip(" \t")


def _only(fields: Mapping[str, list[str]], key: str) -> str:
    values = fields.get(key, [])
    if len(values) != 1 or not values[0]:
        raise MetadataError(
            f"it has {len(values) or 'no'} {key} fields instead of one" if len(values) != 1 else f"its {key} is empty"
        )
    return values[0]
