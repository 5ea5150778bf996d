"""Versions, specifiers, markers and requirements (PEP 440, PEP 508), each distinct text read once.

Nearly all of them have a plain form: names, comparisons with versions, markers that compare variables. Those are read
here, because packaging's parser and all that it loads would take most of the time of a short answer. Everything
else, and whatever the plain classes do not know, is packaging's; the two are equal by test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from packaging.version import InvalidVersion, Version

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.standards.names import canonicalize_name

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

T = TypeVar("T")
Test: TypeAlias = "Callable[[Version], bool]"

_MOST_SHOWN = 200
MAX_NESTED = 100
_HUGE_NUMBER = pattern(r"\d{500}")
"""Longer numbers are refused: Python stops converting at 4,300 digits, where a setting does not stop it earlier."""

_CLAUSE = pattern(
    r"\s*(~=|==|!=|<=|>=|<|>)\s*([0-9]{1,18}(?:\.[0-9]{1,18})*"
    r"(?:\.\*|(?:(?:a|b|rc|\.?dev|\.?post)[0-9]{0,18})*(\+[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*)?))\s*"
)
_REQUIREMENT = pattern(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)[ \t]*(?:\[([A-Za-z0-9._, \t-]*)\])?[ \t]*"
    r"(?:\(([^()@\[\];]*)\)|([^()@\[\];]*))[ \t]*(?:;(.*))?"
)
_EXTRA = pattern(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
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


@lru_cache(maxsize=65536)
def version_of(text: str) -> Version:
    """A version (PEP 440). Raises `InvalidVersion`, a `ValueError`."""
    if _HUGE_NUMBER.search(text):
        raise InvalidVersion("a number in it is too long")
    return Version(text)


@lru_cache(maxsize=65536)
def specifiers_of(text: str) -> SpecifierSet:
    """A set of version specifiers (PEP 440). Raises `InvalidSpecifier`, a `ValueError`."""
    clauses = _clauses(text)
    if clauses is not None:
        return cast("SpecifierSet", PlainSpecifiers(clauses))
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if _HUGE_NUMBER.search(text):
        raise InvalidSpecifier("a number in it is too long")
    return SpecifierSet(text)


def together(sets: Iterable[SpecifierSet]) -> SpecifierSet:
    """What several sets of specifiers ask together; what they say alike, in whatever words, is kept once."""
    return _together(tuple(dict.fromkeys(filter(None, map(str, sets)))))


@lru_cache(maxsize=65536)
def _together(texts: tuple[str, ...]) -> SpecifierSet:
    sets = [specifiers_of(text) for text in texts]
    if not all(isinstance(one, PlainSpecifiers) for one in sets):
        return specifiers_of(",".join(texts))
    clauses = {_meaning(clause): clause for one in sets for clause in cast("Iterable[Clause]", one)}
    return cast("SpecifierSet", PlainSpecifiers(tuple(clauses.values())))


def fault_of(error: ValueError) -> str:
    """What is wrong with a requirement, on one line, behind the text that it is about where the error shows one."""
    why, *text = str(error).splitlines() or [""]
    about = text[0].strip() if text else ""
    shown = about if len(about) <= _MOST_SHOWN else f"{about[:_MOST_SHOWN]}..."
    return f"{shown!r}: {why}" if about else why.rstrip(".")


@lru_cache(maxsize=65536)
def requirement_of(text: str) -> Requirement:
    """A requirement (PEP 508). Raises `InvalidRequirement`, a `ValueError`."""
    plain = _plain_requirement(text)
    if plain is not None:
        return cast("Requirement", plain)
    from packaging.requirements import InvalidRequirement, Requirement

    if _HUGE_NUMBER.search(text):
        raise InvalidRequirement("a number in it is too long")
    if nests_too_deeply(text):
        raise InvalidRequirement("its parentheses are nested too deeply")
    return _parsed(Requirement, text)


def marker_of(text: str) -> Marker:
    """An environment marker (PEP 508). Raises `InvalidMarker`, a `ValueError`."""
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
    """Parsed by packaging; again where CPython 3.11 loses count because several threads make syntax trees at once."""
    try:
        return parse(text)
    except SystemError:
        return parse(text)


# -- specifiers


class Clause(NamedTuple):
    """One comparison of a specifier set."""

    operator: str
    version: str

    def __str__(self) -> str:
        return f"{self.operator}{self.version}"


class PlainSpecifiers:
    """A `SpecifierSet` of comparisons with versions of the usual form."""

    def __init__(self, clauses: tuple[Clause, ...]) -> None:
        self._clauses = clauses
        self._tests = tuple(_test(*clause) for clause in clauses)
        self._text = ",".join(sorted(map(str, clauses)))

    @property
    def full(self) -> SpecifierSet:
        """The same by packaging."""
        from packaging.specifiers import SpecifierSet

        return SpecifierSet(str(self))

    @property
    def prereleases(self) -> bool:
        """Whether a clause names a pre-release."""
        bounds = (clause.version for clause in self._clauses if clause.operator != "!=" and "*" not in clause.version)
        return any(version_of(bound).is_prerelease for bound in bounds)

    def contains(self, item: Version | str, prereleases: bool | None = None) -> bool:
        """Whether a version is admitted; see `SpecifierSet.contains`."""
        version = version_of(item) if isinstance(item, str) else item
        if version.is_prerelease and prereleases is not True:
            return self.full.contains(item, prereleases=prereleases)
        return self._admits(version)

    def is_unsatisfiable(self) -> bool:
        """Whether no version is admitted; one that a clause names is mostly admitted, or one beside it."""
        bounds = [version_of(clause.version.removesuffix(".*")) for clause in self._clauses]
        likely = (Version("0"), *bounds, *(Version(f"{bound.base_version}.1") for bound in bounds))
        return bool(bounds) and not any(map(self._admits, likely)) and self.full.is_unsatisfiable()

    def filter(self, iterable: Iterable[Version], prereleases: bool | None = None) -> Iterator[Version]:
        """The versions that are admitted; pre-releases as `SpecifierSet.filter` has it."""
        if prereleases is None and self.prereleases:
            prereleases = True
        held: list[Version] | None = []
        for test in self._tests:
            iterable = filter(test, iterable)
        for version in iterable:
            if prereleases is True or not version.is_prerelease:
                held = None
                yield version
            elif held is not None and prereleases is None:
                held.append(version)
        yield from held or ()

    def _admits(self, version: Version) -> bool:
        return all(test(version) for test in self._tests)

    def __and__(self, other: Any) -> SpecifierSet:
        return specifiers_of(",".join(filter(None, (str(self), str(other)))))

    def __rand__(self, other: Any) -> SpecifierSet:
        return self.__and__(other)

    def __iter__(self) -> Iterator[Clause]:
        return iter(self._clauses)

    def __len__(self) -> int:
        return len(self._clauses)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<SpecifierSet({str(self)!r})>"

    def __eq__(self, other: object) -> bool:
        return self.full == (other.full if isinstance(other, PlainSpecifiers) else other)

    def __hash__(self) -> int:
        return hash(self.full)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.full, name)


def _clauses(text: str) -> tuple[Clause, ...] | None:
    """The clauses of a set of specifiers, if each of them is plain and no two say the same in other words."""
    found = []
    for part in text.split(",") if text.strip() else ():
        match = _CLAUSE.fullmatch(part)
        if match is None or not _is_plain(match[1], match[2], match[3]):
            return None
        found.append(Clause(match[1], match[2]))
    clauses = tuple(dict.fromkeys(found))
    return clauses if len(set(map(_meaning, clauses))) == len(clauses) else None


def _meaning(clause: Clause) -> tuple[str, str | Version]:
    """What a clause says, however its version is written."""
    return clause.operator, clause.version if clause.version.endswith(".*") else version_of(clause.version)


def _is_plain(operator: str, version: str, local: str | None) -> bool:
    if version.endswith(".*") or local is not None:
        return operator in ("==", "!=")
    try:
        bound = version_of(version)
    except InvalidVersion:
        return False
    if operator == "~=":
        return len(bound.release) > 1
    if operator == "<":
        return not bound.is_postrelease
    return operator != ">" or bound.public == bound.base_version


def _test(operator: str, text: str) -> Test:
    if text.endswith(".*"):
        begins = _begins_with(tuple(map(int, text[:-2].split("."))))
        return begins if operator == "==" else lambda version: not begins(version)
    bound = version_of(text)
    match operator:
        case "==" if bound.local is None:
            return lambda version: public(version) == bound
        case "!=" if bound.local is None:
            return lambda version: public(version) != bound
        case "==":
            return lambda version: version == bound
        case "!=":
            return lambda version: version != bound
        case "<=":
            return lambda version: public(version) <= bound
        case ">=":
            return lambda version: public(version) >= bound
        case "<":
            return lambda version: (
                version < bound and not (version.is_prerelease > bound.is_prerelease and _same_base(version, bound))
            )
        case ">":
            return lambda version: (
                version > bound
                and not ((version.is_postrelease or version.local is not None) and _same_base(version, bound))
            )
    begins = _begins_with(bound.release[:-1])
    return lambda version: public(version) >= bound and begins(version)


def _begins_with(release: tuple[int, ...]) -> Test:
    length = len(release)
    return lambda version: version.epoch == 0 and (version.release + (0,) * length)[:length] == release


def public(version: Version) -> Version:
    """A version without its local label."""
    return version if version.local is None else version_of(version.public)


def _same_base(version: Version, bound: Version) -> bool:
    return version_of(version.base_version) == version_of(bound.base_version)


def extent(specifier: SpecifierSet) -> tuple[Version | None, Version | None]:
    """The lowest and the highest version that a specifier names as its ends; None where it has no such end.

    What it admits is between them, local variants of the highest among that.
    """
    return max(_named(specifier, (">=", ">", "~=")), default=None), min(_named(specifier, ("<=", "<")), default=None)


def _named(specifier: SpecifierSet, operators: Collection[str]) -> list[Version]:
    return [version_of(clause.version) for clause in specifier if clause.operator in operators]


# -- markers

Holds: TypeAlias = "Callable[[Mapping[str, str]], bool]"
MOST_NESTED = 20
"""Parentheses within parentheses that are plain."""


class PlainMarker:
    """A `Marker` that compares variables with texts and versions."""

    def __init__(self, text: str, holds: Holds, variables: frozenset[str], words: tuple[str, ...]) -> None:
        self.text = text
        self.variables = variables
        self.words = words
        self._holds = holds

    @property
    def full(self) -> Marker:
        """The same by packaging."""
        from packaging.markers import Marker

        return Marker(self.text)

    def evaluate(self, environment: Mapping[str, str], *_: object) -> bool:
        """Whether the marker holds where all of its variables are given."""
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
    """A marker has a part that is not plain."""


class _MarkerReader:
    """Reads a marker by the grammar of PEP 508, as far as it is plain."""

    def __init__(self, text: str) -> None:
        self._words = list(_words(text))
        self._at = 0
        self.variables: set[str] = set()

    @property
    def normal(self) -> tuple[str, ...]:
        """Its words, whichever quotation marks they are written with."""
        return tuple(f'"{word[1:-1]}"' if word[0] == "'" else word for word in self._words)

    def whole(self) -> Holds:
        """All of the marker."""
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
        if depth == MOST_NESTED:
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


# -- requirements


class PlainRequirement:
    """A `Requirement` without a URL whose specifiers and marker are plain."""

    url = None

    def __init__(
        self, text: str, name: str, extras: set[str], specifier: PlainSpecifiers, marker: PlainMarker | None
    ) -> None:
        self.text, self.name, self.extras, self.specifier, self.marker = text, name, extras, specifier, marker

    @property
    def full(self) -> Requirement:
        """The same by packaging."""
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
    if match is None:
        return None
    name, extras, bracketed, bare, condition = match.groups()
    wanted = [extra.strip() for extra in extras.split(",")] if extras and extras.strip() else []
    clauses = _clauses(bracketed or bare or "")
    marker = None if condition is None else _plain_marker(condition.strip())
    if clauses is None or (condition is not None and marker is None) or not all(map(_EXTRA.fullmatch, wanted)):
        return None
    return PlainRequirement(text, name, set(wanted), PlainSpecifiers(clauses), marker)


def marker_text(requirement: Requirement) -> str:
    """The marker of a requirement, in one of its spellings; empty where it has none."""
    marker = requirement.marker
    return "" if marker is None else getattr(marker, "text", None) or str(marker)
