"""Versions and version specifiers (PEP 440), each distinct text parsed once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from packaging.version import InvalidVersion, Version

from wheelcheck.common.lazy_regex import pattern

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


Test: TypeAlias = "Callable[[Version], bool]"


MAX_CLAUSES = 500
"""Maximum number of clauses in a specifier set; testing a version takes time for each."""
MAX_LENGTH = 64 * 1024
"""Maximum length of a specifier set or a requirement."""
_HUGE_NUMBER = pattern(r"\d{500}")
"""Numbers this long are rejected: Python stops converting at 4,300 digits, or earlier where so configured."""


_CLAUSE = pattern(
    r"\s*(~=|==|!=|<=|>=|<|>)\s*([0-9]{1,18}(?:\.[0-9]{1,18})*"
    r"(?:\.\*|(?:(?:a|b|rc|\.?dev|\.?post)[0-9]{0,18})*(\+[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*)?))\s*"
)


def excess_of(text: str) -> str | None:
    """Return why a text from elsewhere is too much to be evaluated as specifiers, or None."""
    if text.count(",") >= MAX_CLAUSES:
        return f"has more than {MAX_CLAUSES} clauses"
    return f"has more than {MAX_LENGTH:,} characters" if len(text) > MAX_LENGTH else None


@lru_cache(maxsize=65536)
def version_of(text: str) -> Version:
    """Parse a version (PEP 440). Raises `InvalidVersion`, a `ValueError`."""
    if _HUGE_NUMBER.search(text):
        raise InvalidVersion("a number in it is too long")
    return Version(text)


@lru_cache(maxsize=65536)
def specifiers_of(text: str) -> SpecifierSet:
    """Parse a set of version specifiers (PEP 440). Raises `InvalidSpecifier`, a `ValueError`."""
    clauses = _clauses(text)
    if clauses is not None:
        return cast("SpecifierSet", PlainSpecifiers(clauses))
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if _HUGE_NUMBER.search(text):
        raise InvalidSpecifier("a number in it is too long")
    return SpecifierSet(text)


def together(sets: Iterable[SpecifierSet]) -> SpecifierSet:
    """Return the intersection of specifier sets; clauses of equal meaning are kept once."""
    return _together(tuple(dict.fromkeys(filter(None, map(str, sets)))))


@lru_cache(maxsize=4096)
def _together(texts: tuple[str, ...]) -> SpecifierSet:
    sets = [specifiers_of(text) for text in texts]
    if not all(isinstance(one, PlainSpecifiers) for one in sets):
        return specifiers_of(",".join(texts))
    clauses = {_meaning(clause): clause for one in sets for clause in cast("Iterable[Clause]", one)}
    return cast("SpecifierSet", PlainSpecifiers(tuple(clauses.values())))


class Clause(NamedTuple):
    """One comparison in a specifier set."""

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
        """The same set as packaging's class."""
        from packaging.specifiers import SpecifierSet

        return SpecifierSet(str(self))

    @property
    def prereleases(self) -> bool:
        """Whether a clause names a pre-release."""
        bounds = (clause.version for clause in self._clauses if clause.operator != "!=" and "*" not in clause.version)
        return any(version_of(bound).is_prerelease for bound in bounds)

    def contains(self, item: Version | str, prereleases: bool | None = None) -> bool:
        """Return whether a version is admitted; see `SpecifierSet.contains`."""
        version = version_of(item) if isinstance(item, str) else item
        if version.is_prerelease and prereleases is not True:
            return self.full.contains(item, prereleases=prereleases)
        return self._admits(version)

    def is_unsatisfiable(self) -> bool:
        """Return whether no version can be admitted. The bounds, and versions just above them, are tried first."""
        return bool(self._clauses) and not any(map(self._admits, self._likely())) and self.full.is_unsatisfiable()

    def _likely(self) -> Iterator[Version]:
        yield version_of("0")
        for clause in self._clauses:
            bound = version_of(clause.version.removesuffix(".*"))
            yield bound
            yield version_of(f"{bound.base_version}.1")

    def filter(self, iterable: Iterable[Version], prereleases: bool | None = None) -> Iterator[Version]:
        """Yield the admitted versions; pre-releases as `SpecifierSet.filter` treats them."""
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
    """Parse plain clauses; return None where one is not plain, or two mean the same."""
    found = []
    for part in text.split(",") if text.strip() else ():
        match = _CLAUSE.fullmatch(part)
        if match is None or not _is_plain(match[1], match[2], match[3]):
            return None
        found.append(Clause(match[1], match[2]))
    clauses = tuple(dict.fromkeys(found))
    return clauses if len(set(map(_meaning, clauses))) == len(clauses) else None


def _meaning(clause: Clause) -> tuple[str, str | Version]:
    """Return what a clause means, however its version is written."""
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


@lru_cache(maxsize=65536)
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
    """Return a version without its local label."""
    return version if version.local is None else version_of(version.public)


def _same_base(version: Version, bound: Version) -> bool:
    return version_of(version.base_version) == version_of(bound.base_version)


def extent(specifier: SpecifierSet) -> tuple[Version | None, Version | None]:
    """Return the lowest and highest bound that a specifier names, None where it has none.

    All admitted versions lie between them; local variants of the highest one count as within.
    """
    return max(_named(specifier, (">=", ">", "~=")), default=None), min(_named(specifier, ("<=", "<")), default=None)


def _named(specifier: SpecifierSet, operators: Collection[str]) -> list[Version]:
    return [version_of(clause.version) for clause in specifier if clause.operator in operators]
