"""Metadata without a build: that of source distributions, and the [project] table of a directory.

Standards: core metadata 2.2 with its field Dynamic (PEP 643), and the pyproject.toml specification (PEP 621), by which
a field that is neither present nor declared dynamic is empty, whatever a build backend may do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from packaging.version import InvalidVersion

from wheelcheck.common.records import field, record, replace
from wheelcheck.standards.core_metadata import Metadata, MetadataError, identity_of, parse_metadata
from wheelcheck.standards.file_problems import BadMetadata, DynamicMetadata, HashMismatch
from wheelcheck.standards.markers import nests_too_deeply
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, Sdist
from wheelcheck.standards.requirements import fault_of, requirement_of
from wheelcheck.standards.specifiers import specifiers_of, version_of

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PKG_INFO, PYPROJECT = "PKG-INFO", "pyproject.toml"

PROMISING_SINCE = (2, 2)
"""The first version of core metadata in which a source distribution declares which fields a build may change."""

_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")

DECISIVE = ("name", "version", "requires-dist", "requires-python", "provides-extra")
"""The fields of core metadata that decide an answer."""

FIELDS = {
    "version": "Version",
    "requires-python": "Requires-Python",
    "dependencies": "Requires-Dist",
    "optional-dependencies": "Provides-Extra",
}
"""The keys of the [project] table that decide an answer, with their fields in core metadata; the name is always
static.
"""


def static_metadata(body: bytes) -> Metadata | DynamicMetadata:
    """Parse the PKG-INFO of a source distribution, if every build would give the same metadata.

    Raises:
        MetadataError: it declares static metadata that cannot be used.
    """
    head = re.split(rb"\r?\n\r?\n", body, maxsplit=1)[0].removeprefix(b"\xef\xbb\xbf")
    if _metadata_version(head) < PROMISING_SINCE:
        return DynamicMetadata()
    declared = {name.decode().lower() for name in re.findall(rb"(?im)^dynamic[ \t]*:[ \t]*([A-Z-]+)", head)}
    changing = tuple(name for name in DECISIVE if name in declared)
    return DynamicMetadata(fields=changing) if changing else parse_metadata(body)


def _metadata_version(head: bytes) -> tuple[int, int]:
    """Return the version of the metadata, or (0, 0) where it has none, as in the oldest files."""
    found = re.search(rb"(?im)^metadata-version[ \t]*:[ \t]*(\d{1,4})\.(\d{1,4})[ \t]*\r?$", head)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@record
class Project:
    """The [project] table of a pyproject.toml.

    Attributes:
        metadata: the static fields; the version is empty where it is dynamic.
        dynamic: the keys of the dynamic fields.
        dependencies, optional: the requirements, and those of each extra, as written.
    """

    metadata: Metadata
    dynamic: tuple[str, ...] = ()
    dependencies: tuple[Requirement, ...] = ()
    optional: Mapping[NormalizedName, tuple[Requirement, ...]] = field(default_factory=dict, hash=False)


def parse_project(body: bytes) -> Project:
    """Parse the [project] table of a pyproject.toml.

    Raises:
        MetadataError: it is not TOML, has no [project] table, or one that breaks the specification.
    """
    return project_in(document_of(body))


def project_in(document: Mapping[str, Any]) -> Project:
    """Return the project in a parsed pyproject.toml. Raises as `parse_project` does."""
    table = document.get("project")
    if not isinstance(table, dict):
        only = ", and the tables of Poetry are not read" if "poetry" in _mapping(document.get("tool")) else ""
        raise MetadataError(f"its {PYPROJECT} has no [project] table{only}")
    poetry = _mapping(_mapping(document.get("tool")).get("poetry"))
    declared = _strings(table, "dynamic")
    both = next((name for name in declared if name in table), None)
    if both is not None:
        raise _wrong(both, "is stated, and declared dynamic as well")
    elsewhere = () if "dependencies" in table or not poetry.get("dependencies") else ("dependencies",)
    dynamic = tuple(name for name in FIELDS if name in (*declared, *elsewhere))
    dependencies, optional = _requirements(table, "dependencies"), _optional(table)
    conditional = (with_marker(one, f"extra == '{extra}'") for extra, many in optional.items() for one in many)
    metadata = Metadata(
        name=_name(table),
        version=_version(table, dynamic),
        requires_dist=(*dependencies, *conditional),
        requires_python=_requires_python(table),
        extras=frozenset(optional),
    )
    return Project(metadata=metadata, dynamic=dynamic, dependencies=dependencies, optional=optional)


def head_of(project: Project) -> bytes:
    """Return the PKG-INFO that a source distribution of a project would have."""
    stated = project.metadata
    lines = ["Metadata-Version: 2.2", *(f"Dynamic: {FIELDS[name]}" for name in project.dynamic), f"Name: {stated.name}"]
    lines += [f"Version: {stated.version}"] if stated.version else []
    lines += [f"Requires-Python: {stated.requires_python}"] if stated.requires_python else []
    lines += [f"Provides-Extra: {extra}" for extra in sorted(stated.extras)]
    lines += [f"Requires-Dist: {requirement}" for requirement in stated.requires_dist]
    return "\n".join([*lines, "", ""]).encode()


def document_of(body: bytes, file: str = f"its {PYPROJECT}") -> dict[str, Any]:
    """Parse a TOML file. Raises `MetadataError`, whose text calls the file as `file` says."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MetadataError(f"{file} is not UTF-8 (byte {error.start})") from None
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"{file} cannot be parsed ({str(error) or 'nested too deeply'})") from None


def _name(table: dict[str, Any]) -> NormalizedName:
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong("name", "is no project name" if name is not None else "is missing")
    return canonicalize_name(name)


def _version(table: dict[str, Any], dynamic: tuple[str, ...]) -> str:
    version = table.get("version")
    if version is None and "version" in dynamic:
        return ""
    try:
        return str(version_of(version))
    except (InvalidVersion, TypeError):
        raise _wrong("version", "is no version (PEP 440)" if version is not None else "is missing") from None


def _requires_python(table: dict[str, Any]) -> str | None:
    specifier = table.get("requires-python")
    if specifier is None:
        return None
    try:
        return str(specifier) if specifiers_of(specifier) else None
    except (ValueError, TypeError, AttributeError):
        raise _wrong("requires-python", "is no version specifier (PEP 440)") from None


def _optional(table: dict[str, Any]) -> dict[NormalizedName, tuple[Requirement, ...]]:
    """Return the requirements of each extra."""
    groups = table.get("optional-dependencies", {})
    if not isinstance(groups, dict):
        raise _wrong("optional-dependencies", "is no table")
    found: dict[NormalizedName, tuple[Requirement, ...]] = {}
    for key in groups:
        extra = canonicalize_name(key)
        if extra in found or not _NAME.fullmatch(key):
            raise _wrong("optional-dependencies", f"has a name that is no extra's, or twice the same: {key!r}")
        found[extra] = _requirements(groups, key, "optional-dependencies.")
    return found


def with_marker(requirement: Requirement, marker: str) -> Requirement:
    """Return a requirement with a further marker. Raises `MetadataError` where markers nest too deeply."""
    from copy import copy

    from packaging.markers import Marker

    made = copy(getattr(requirement, "full", requirement))
    both = f"({requirement.marker}) and ({marker})" if requirement.marker else marker
    if nests_too_deeply(both):
        raise MetadataError(f"the marker of its requirement of {requirement.name} is nested too deeply")
    made.marker = Marker(both)
    return made


def _requirements(table: dict[str, Any], key: str, prefix: str = "") -> tuple[Requirement, ...]:
    texts = _strings(table, key, prefix)
    try:
        return tuple(requirement_of(text) for text in texts)
    except ValueError as error:
        raise _wrong(prefix + key, f"has a requirement that cannot be parsed: {fault_of(error)}") from None


def _strings(table: dict[str, Any], key: str, prefix: str = "") -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(prefix + key, "is no list of texts")
    return tuple(value)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _wrong(key: str, why: str) -> MetadataError:
    return MetadataError(f"in the [project] table of its {PYPROJECT}, {key} {why}")


MetadataResult: TypeAlias = "Metadata | BadMetadata | HashMismatch | DynamicMetadata"
"""The metadata of a file, the reason to reject the file, or that only a build of the source distribution could tell."""


def contradiction(own: Metadata, other: Metadata) -> str | None:
    """Return in which field two texts about one file differ, so that one of them is a lie; None where in none."""
    return next((name for name, said in _said(own).items() if said != _said(other)[name]), None)


def _said(metadata: Metadata) -> dict[str, object]:
    """Return what decides an answer, by field, so that equal meanings are equal."""
    return {
        "Requires-Dist": sorted(map(str, metadata.requires_dist)),
        "Requires-Python": str(_specifiers_or_text(metadata.requires_python)),
        "Provides-Extra": sorted(metadata.extras),
    }


def _specifiers_or_text(text: str | None) -> object:
    """Return a Requires-Python in normal form, or as it is where it has none."""
    try:
        return specifiers_of(text) if text else ""
    except ValueError:
        return text


def checked_metadata(file: Listed, body: bytes) -> Metadata | BadMetadata | DynamicMetadata:
    """Parse the metadata of a file, and compare its name and version with the file name."""
    try:
        found = _parsed(file, body)
        if isinstance(found, DynamicMetadata):
            return found
        agrees = found.name == file.name and version_of(found.version) == file.version
    except MetadataError as error:
        return BadMetadata(why=str(error), ends_search=not error.of_requirement)
    if not agrees:
        return BadMetadata(why=f"it says that it is {found.name} {found.version}")
    return found


def other_identity(file: Listed, body: bytes) -> tuple[str, ...]:
    """Return the name and the version in metadata, as lines, where they are not those of a file."""
    try:
        name, version = identity_of(body)
    except MetadataError:
        return ()
    is_same = {f"Name: {canonicalize_name(name)}": canonicalize_name(name) == file.name}
    try:
        is_same[f"Version: {version}"] = version_of(version) == file.version
    except InvalidVersion:
        is_same[f"Version: {version}"] = False
    return tuple(line for line, same in is_same.items() if not same)


def with_beside(result: MetadataResult, beside: tuple[str, ...]) -> MetadataResult:
    """Return the metadata of a file with `Metadata.beside`."""
    return replace(result, beside=beside) if beside and isinstance(result, Metadata) else result


def _parsed(file: Listed, body: bytes) -> Metadata | DynamicMetadata:
    if not isinstance(file, Sdist):
        return parse_metadata(body)
    from wheelcheck.standards.source_metadata import static_metadata

    return static_metadata(body)
