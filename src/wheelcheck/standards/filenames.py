"""File names of wheels and source distributions, and compressed tag sets (PEP 427, PEP 625, PEP 425)."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from packaging.version import InvalidVersion, Version

from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.specifiers import version_of

MAX_TAGS = 1024
"""Maximum number of triples in a compressed tag set; no honest wheel comes near."""


SDIST_ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tar.Z", ".tgz", ".tar")


OTHER_ENDINGS = (".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg", ".asc", ".sig", ".metadata", ".provenance")


MAX_NAME = 255
"""Maximum length of a file name, which is the limit of file systems."""


@lru_cache(maxsize=65536)
def tag_set(compressed: str) -> tuple[str, ...]:
    """Expand a compressed tag set such as ``py2.py3-none-any`` into its triples (PEP 425).

    Raises:
        ValueError: not three non-empty parts, or more than `MAX_TAGS` triples.

    Example:
        >>> tag_set("py2.py3-none-any")
        ('py2-none-any', 'py3-none-any')
    """
    parts = [part.split(".") for part in compressed.lower().split("-")]
    if len(parts) != 3 or not all(all(member) for member in parts):
        raise ValueError("its tags are not of the form python-abi-platform")
    if len(parts[0]) * len(parts[1]) * len(parts[2]) > MAX_TAGS:
        raise ValueError(f"its tags expand to more than {MAX_TAGS} triples")
    return tuple("-".join(triple) for triple in product(*parts))


class UnreadableName(ValueError):
    """A file name that cannot be parsed; `label` is set for a wheel variant."""

    def __init__(self, why: str, label: str | None = None) -> None:
        super().__init__(why)
        self.label = label


def read_wheel_name(filename: str) -> tuple[NormalizedName, Version, tuple[int, str] | tuple[()], str]:
    """Parse a wheel file name into project, version, build number and compressed tag set.

    Raises:
        UnreadableName: it does not follow PEP 427; `label` is set for a wheel variant.
    """
    parts = filename[: -len(".whl")].split("-")
    label = _variant_label(parts)
    if label:
        raise UnreadableName(f"it is a wheel variant ({label}), which installers of today do not take", label)
    if len(parts) not in (5, 6):
        raise UnreadableName(f"a wheel name has five or six parts between dashes, this one {len(parts)}")
    name, version = parts[0], parts[1]
    if not re.fullmatch(r"[\w.]+", name) or "__" in name:
        raise UnreadableName(f"{name!r} is not a project name")
    build: tuple[int, str] | tuple[()] = ()
    if len(parts) == 6:
        number = re.match(r"[0-9]+", parts[2])
        if not number:
            raise UnreadableName(f"its build number {parts[2]!r} does not begin with a digit")
        build = int(number[0]), parts[2][number.end() :]
    tags = tags_in(filename)
    try:
        tag_set(tags)
        return canonicalize_name(name), version_of(version), build, tags
    except InvalidVersion:
        raise UnreadableName(f"{version!r} is not a version (PEP 440)") from None
    except ValueError as error:
        raise UnreadableName(str(error)) from None


def tags_in(filename: str) -> str:
    """Return the compressed tag set at the end of a wheel file name."""
    return "-".join(filename[: -len(".whl")].rsplit("-", 3)[-3:]).lower()


def version_text(filename: str, project: NormalizedName) -> str | None:
    """Return the version in a file name without validating the rest, or None where there is none."""
    if filename.endswith(".whl"):
        parts = filename.split("-", 2)
        return parts[1] if len(parts) > 1 else None
    stem = _stem(filename)
    cut = _end_of_name(stem, project) if stem else None
    return stem[cut + 1 :] if stem and cut is not None else None


def _stem(filename: str) -> str | None:
    for ending in SDIST_ENDINGS:
        if filename.endswith(ending):
            return filename[: -len(ending)]
    return None


def _end_of_name(stem: str, project: NormalizedName) -> int | None:
    """Return the position of the dash after the project name in the stem of an sdist file name."""
    usual = len(project)
    if stem[usual : usual + 1] == "-" and _is_called(stem[:usual], project):
        return usual
    dashes = (match.start() for match in re.finditer("-", stem))
    return next((at for at in dashes if _is_called(stem[:at], project)), None)


@lru_cache(maxsize=4096)
def _is_called(name: str, project: NormalizedName) -> bool:
    return canonicalize_name(name) == project


def _variant_label(parts: list[str]) -> str | None:
    """Return the label of a wheel variant, a further part after the tags (PEP 825 draft)."""
    if len(parts) not in (6, 7):
        return None
    python = parts[-4]
    return parts[-1] if re.fullmatch(r"(py|cp|pp)\d+(\.(py|cp|pp)\d+)*", python) else None


def read_sdist_name(filename: str, project: NormalizedName | None = None) -> tuple[NormalizedName, Version]:
    """Parse the file name of a source distribution into project and version.

    Args:
        filename: the name.
        project: the expected project, which tells where the name ends in file names older than PEP 625.

    Raises:
        UnreadableName: no part of it is a version.
    """
    stem = _stem(filename)
    if stem is None:
        raise UnreadableName("it is neither a wheel nor a source distribution")
    name, _, version = stem.rpartition("-")
    if project is not None:
        cut = _end_of_name(stem, project)
        if cut is None:
            raise UnreadableName(f"it does not begin with the project name {project}")
        name, version = stem[:cut], stem[cut + 1 :]
    if not name:
        raise UnreadableName("it is not of the form project-version")
    try:
        return canonicalize_name(name), version_of(version)
    except InvalidVersion:
        raise UnreadableName(f"{version!r} is not a version (PEP 440)") from None


def _check_form(filename: str) -> None:
    if not filename:
        raise UnreadableName("it is empty")
    if not filename.isprintable():
        raise UnreadableName("it holds a character that cannot be printed")
    if {"/", "\\"} & set(filename) or filename in (".", ".."):
        raise UnreadableName("it is a path, not a file name")
    if len(filename) > MAX_NAME:
        raise UnreadableName(f"it has more than {MAX_NAME} characters")
