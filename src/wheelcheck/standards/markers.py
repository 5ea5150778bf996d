"""Environment markers (PEP 508): parsing, and whether a requirement applies to a target."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.specifiers import _clauses, _test, version_of

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.requirements import Requirement

    from wheelcheck.targets.target import Target


class UndecidableMarker(ValueError):
    """A marker that compares incomparable values, or reads a variable that a target does not have."""


def applies(requirement: Requirement, target: Target, extra: str | None = None) -> bool:
    """Return whether a requirement applies to a target; with `extra`, whether it applies because of that extra.

    Raises:
        UndecidableMarker: its marker cannot be evaluated.
    """
    if requirement.marker is None:
        return extra is None
    try:
        return requirement.marker.evaluate({**target.environment, "extra": extra or ""})
    except (ValueError, LookupError) as error:  # UndefinedComparison, UndefinedEnvironmentName
        raise UndecidableMarker(str(error)) from None


T = TypeVar("T")


MAX_NESTED = 100


_WORD = pattern(r"""\s*(\(|\)|"[\w.+ -]*"|'[\w.+ -]*'|[a-z_]+|[<>=!~]+)\s*""", re.ASCII)


_VARIABLES = frozenset(
    {
        "extra",
        "implementation_name",
        "os_name",
        "platform_machine",
        "platform_python_implementation",
        "platform_system",
        "python_full_version",
        "python_version",
        "sys_platform",
    }
)


def marker_of(text: str) -> Marker:
    """Parse an environment marker (PEP 508). Raises `InvalidMarker`, a `ValueError`."""
    plain = _plain_marker(text)
    if plain is not None:
        return cast("Marker", plain)
    from packaging.markers import InvalidMarker, Marker

    if nests_too_deeply(text):
        raise InvalidMarker("its parentheses are nested too deeply")
    return _parsed(Marker, text)


def nests_too_deeply(text: str) -> bool:
    """Return whether `text` has more nested parentheses than `MAX_NESTED`.

    Releases of packaging before 26.4 recurse until the interpreter stops them, newer ones stop at 200. Checking first
    gives the same answer with every release.
    """
    depth = 0
    for character in text if text.count("(") > MAX_NESTED else "":
        depth += (character == "(") - (character == ")")
        if depth > MAX_NESTED:
            return True
    return False


def _parsed(parse: Callable[[str], T], text: str) -> T:
    """Parse with packaging; retry where CPython 3.11 miscounts because several threads build syntax trees at once."""
    try:
        return parse(text)
    except SystemError:
        return parse(text)


Holds: TypeAlias = "Callable[[Mapping[str, str]], bool]"


MAX_PLAIN_NESTED = 20
"""Maximum nesting of parentheses that the plain reader follows; deeper ones are packaging's."""


class PlainMarker:
    """A `Marker` that compares variables with strings and versions, read without packaging's parser."""

    def __init__(self, text: str, holds: Holds, variables: frozenset[str], words: tuple[str, ...]) -> None:
        self.text = text
        self.variables = variables
        self.words = words
        self._holds = holds

    @property
    def full(self) -> Marker:
        """The same marker as packaging's class."""
        from packaging.markers import Marker

        return Marker(self.text)

    def evaluate(self, environment: Mapping[str, str], *_: object) -> bool:
        """Return whether the marker holds; all of its variables must be given."""
        return self._holds(environment)

    def __str__(self) -> str:
        return str(self.full)

    def __repr__(self) -> str:
        return repr(self.full)

    def __eq__(self, other: object) -> bool:
        return self.words == other.words if isinstance(other, PlainMarker) else bool(self.full == other)

    def __hash__(self) -> int:
        return hash(self.full)


class _NotPlainError(Exception):
    """Part of a marker is beyond the plain reader."""


class _MarkerReader:
    """Parse the common subset of the marker grammar (PEP 508)."""

    def __init__(self, text: str) -> None:
        self._words = list(_words(text))
        self._at = 0
        self.variables: set[str] = set()

    @property
    def normal(self) -> tuple[str, ...]:
        """The tokens, whichever quotation marks they are written with."""
        return tuple(f'"{word[1:-1]}"' if word[0] == "'" else word for word in self._words)

    def whole(self) -> Holds:
        """Parse the whole marker."""
        holds = self._any(0)
        if self._word() is not None:
            raise _NotPlainError
        return holds

    def _any(self, depth: int) -> Holds:
        parts = [self._all(depth)]
        while self._takes("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else lambda environment: any(part(environment) for part in parts)

    def _all(self, depth: int) -> Holds:
        parts = [self._one(depth)]
        while self._takes("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda environment: all(part(environment) for part in parts)

    def _one(self, depth: int) -> Holds:
        if not self._takes("("):
            return self._comparison()
        if depth == MAX_PLAIN_NESTED:
            raise _NotPlainError
        inner = self._any(depth + 1)
        if not self._takes(")"):
            raise _NotPlainError
        return inner

    def _comparison(self) -> Holds:
        variable, operator, value = (self._next() for _ in range(3))
        if variable not in _VARIABLES or value[:1] not in ("'", '"'):
            raise _NotPlainError
        self.variables.add(variable)
        test = _value_test(variable, operator, value[1:-1])
        return lambda environment: test(environment[variable])

    def _word(self) -> str | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _next(self) -> str:
        word = self._word()
        if word is None:
            raise _NotPlainError
        self._at += 1
        return word

    def _takes(self, word: str) -> bool:
        taken = self._word() == word
        self._at += taken
        return taken


def _words(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise _NotPlainError
        yield match[1]
        at = match.end()


@lru_cache(maxsize=65536)
def _plain_marker(text: str) -> PlainMarker | None:
    try:
        reader = _MarkerReader(text)
        return PlainMarker(text, reader.whole(), frozenset(reader.variables), reader.normal)
    except _NotPlainError:
        return None


def _value_test(variable: str, operator: str, value: str) -> Callable[[str], bool]:
    if variable.startswith("python_"):
        clauses = _clauses(operator + value)
        if not clauses:
            raise _NotPlainError
        test = _test(*clauses[0])
        return lambda text: test(version_of(text))
    if operator not in ("==", "!="):
        raise _NotPlainError
    wanted = operator == "=="
    if variable == "extra":
        name = canonicalize_name(value)
        return lambda extra: (canonicalize_name(extra) == name) is wanted
    return lambda given: (given == value) is wanted


def marker_text(requirement: Requirement) -> str:
    """Return the marker of a requirement as text; empty where it has none."""
    marker = requirement.marker
    return "" if marker is None else getattr(marker, "text", None) or str(marker)
