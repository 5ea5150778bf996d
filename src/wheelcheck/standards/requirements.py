"""Requirements (PEP 508), each distinct text parsed once.

Most requirements have a plain form: a name, comparisons with versions, a marker that compares variables. Those are
parsed here, because packaging's parser and its imports would take most of the time of a short answer. Everything else
is left to packaging; tests hold the two equal.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.standards.markers import PlainMarker, _parsed, _plain_marker, nests_too_deeply
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.specifiers import _HUGE_NUMBER, PlainSpecifiers, _clauses, excess_of

if TYPE_CHECKING:
    from packaging.requirements import Requirement


_MAX_SHOWN = 200

_REQUIREMENT = pattern(
    r"[ \t]*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)[ \t]*(?:\[([A-Za-z0-9._, \t-]*)\])?[ \t]*"
    r"(?:\(([^()@\[\];]*)\)|([^()@\[\];]*))[ \t]*(?:;(.*))?"
)
_OTHER_SPACE = pattern(r"[^\S \t]")
"""White space that divides nothing in PEP 508, such as a line break."""
_EXTRA = pattern(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def fault_of(error: ValueError) -> str:
    """Return what is wrong with a requirement, on one line, preceded by the text in question where the error has it."""
    why, *text = str(error).splitlines() or [""]
    about = text[0].strip() if text else ""
    shown = about if len(about) <= _MAX_SHOWN else f"{about[:_MAX_SHOWN]}..."
    return f"{shown!r}: {why}" if about else why.rstrip(".")


@lru_cache(maxsize=65536)
def requirement_of(text: str) -> Requirement:
    """Parse a requirement (PEP 508). Raises `InvalidRequirement`, a `ValueError`."""
    excess = excess_of(text)
    plain = _plain_requirement(text) if excess is None else None
    if plain is not None:
        return cast("Requirement", plain)
    from packaging.requirements import InvalidRequirement, Requirement

    if excess is not None:
        raise InvalidRequirement(f"it {excess}")
    if _HUGE_NUMBER.search(text):
        raise InvalidRequirement("a number in it is too long")
    if nests_too_deeply(text):
        raise InvalidRequirement("its parentheses are nested too deeply")
    return _parsed(Requirement, text)


# -- specifiers


# -- markers


# -- requirements


class PlainRequirement:
    """A `Requirement` without a URL, with plain specifiers and a plain marker."""

    url = None

    def __init__(
        self, text: str, name: str, extras: set[str], specifier: PlainSpecifiers, marker: PlainMarker | None
    ) -> None:
        self.text, self.name, self.extras, self.specifier, self.marker = text, name, extras, specifier, marker

    @property
    def full(self) -> Requirement:
        """The same requirement as packaging's class."""
        from packaging.requirements import Requirement

        return Requirement(self.text)

    def __str__(self) -> str:
        return str(self.full)

    def __repr__(self) -> str:
        return repr(self.full)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PlainRequirement):
            return self.text == other.text or self._parts == other._parts
        return bool(self.full == other)

    def __hash__(self) -> int:
        return hash(self._parts)

    @property
    def _parts(self) -> tuple[object, ...]:
        name, marker = canonicalize_name(self.name), self.marker.words if self.marker else ()
        return name, frozenset(self.extras), frozenset(self.specifier), marker


def _plain_requirement(text: str) -> PlainRequirement | None:
    match = _REQUIREMENT.fullmatch(text)
    if match is None or _OTHER_SPACE.search(text):
        return None
    name, extras, bracketed, bare, condition = match.groups()
    wanted = [extra.strip() for extra in extras.split(",")] if extras and extras.strip() else []
    clauses = _clauses(bracketed or bare or "")
    marker = None if condition is None else _plain_marker(condition.strip())
    if clauses is None or (condition is not None and marker is None) or not all(map(_EXTRA.fullmatch, wanted)):
        return None
    return PlainRequirement(text, name, set(wanted), PlainSpecifiers(clauses), marker)
