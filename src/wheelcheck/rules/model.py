"""Curated rules: errata to the metadata of published projects, each with a reason and sources.

Metadata answers three questions, so a rule has one of three effects: it forbids a file, requires a project, or
constrains another project where that is in the answer. Versions follow PEP 440, markers and requirements PEP 508;
markers know neither a macOS version nor Rosetta, so `when` has two typed fields for them.

Versions of a rule and pre-releases: where the specifier names no pre-release, a pre-release is covered exactly when the
release that it leads to is. So a rule for ``==2.20.0`` or ``>=2.20`` covers 2.20.0rc0, and a rule for ``<2.20`` does
not. Where it names one (``>=2.20.0rc1``), PEP 440 is taken literally. Requirements are always taken literally:
``tensorflow<2.20`` does not admit 2.20.0rc0.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from packaging.version import Version

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import field, record
from wheelcheck.standards.markers import PlainMarker, marker_of
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.standards.specifiers import specifiers_of
from wheelcheck.targets.platform import MacOS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence

    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from wheelcheck.common.records import Plain
    from wheelcheck.targets.target import Target


class Effect(Enum):
    """What a rule does: forbid a file, require a project, or constrain another project if that is in the answer."""

    FORBIDS = "forbids"
    REQUIRES = "requires"
    CONSTRAINS = "constrains"


EVIDENCE = ("metadata", "contents", "import-run", "static-link", "vendor", "report")
"""What a rule is based on: the index and the files' metadata; the content of the files; an import run; a static link
check; a statement of the publisher; a report by users or maintainers.
"""

CONFIDENCE = ("certain", "likely", "predicted")
"""How certain the evidence is. A predicted rule warns and never rejects."""


@record
class Source:
    """Where a rule comes from: a web page, or a fact that was read from an index or observed in a run; never both.

    Attributes:
        url: the page.
        fact: one sentence that can be verified.
        date: when it was read, ISO 8601.
    """

    url: str | None = None
    fact: str | None = None
    date: str

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `sources` of a rule."""
        return {"url": self.url, "fact": self.fact, "date": self.date}


@record
class Rule:
    """An erratum to the metadata of one project.

    Attributes:
        id: short and stable, for ``--ignore``.
        project: the project whose metadata it corrects.
        versions: the versions that it covers; for pre-releases see the head of this module.
        marker: the targets that it covers, or None for all.
        macos: the macOS versions that it covers, or None; such a rule does not cover other systems.
        translated: True if it covers only x86_64 processes under Rosetta, False if only native ones. A target for which
            that is unknown counts as native.
        beside: other projects, of which one must be in the answer in a version that fits; empty where the rule does not
            depend on others.
        effect: what it does.
        requirements: what it adds, or what other projects must satisfy; empty for a rule that forbids.
        why: one sentence for the user that names the consequence.
        sources: at least one.
        evidence: one of `EVIDENCE`.
        confidence: one of `CONFIDENCE`.
    """

    id: str
    project: NormalizedName = field(hash=False)
    versions: SpecifierSet = field(hash=False)
    marker: Marker | None = field(default=None, hash=False)
    macos: SpecifierSet | None = field(default=None, hash=False)
    translated: bool | None = field(default=None, hash=False)
    beside: tuple[Requirement, ...] = field(default=(), hash=False)
    effect: Effect = field(hash=False)
    requirements: tuple[Requirement, ...] = field(default=(), hash=False)
    why: str = field(hash=False)
    sources: tuple[Source, ...] = field(hash=False)
    evidence: str = field(hash=False)
    confidence: str = field(hash=False)

    @property
    def warns_only(self) -> bool:
        """Whether it is predicted: such a rule may warn about an answer, but never reject it."""
        return self.confidence == "predicted"

    def covers(self, version: Version) -> bool:
        """Return whether it covers this version of its project."""
        if version.is_prerelease and not self.versions.prereleases:
            post = "" if version.post is None or version.pre else f".post{version.post}"
            version = Version(version.base_version + post)
        return self.versions.contains(version, prereleases=True)

    def applies_to(self, version: Version, target: Target) -> bool:
        """Return whether it covers this version of its project on this target."""
        return self.covers(version) and self.is_about(target)

    def is_about(self, target: Target) -> bool:
        """Return whether it covers some version of its project on this target."""
        return (
            self.translated in (None, target.translated is True)
            and self._fits_macos(target)
            and (self.marker is None or self.marker.evaluate(dict(target.environment), "requirement"))
        )

    def is_beside(self, chosen: Mapping[NormalizedName, Version]) -> bool:
        """Return whether it counts in an answer with these versions of other projects."""
        return not self.beside or any(
            other.specifier.contains(chosen[named(other)], prereleases=True)
            for other in self.beside
            if named(other) in chosen
        )

    def _fits_macos(self, target: Target) -> bool:
        if self.macos is None:
            return True
        system = target.platform
        return isinstance(system, MacOS) and self.macos.contains(f"{system.major}.{system.minor}")

    def on(self, project: NormalizedName) -> tuple[Requirement, ...]:
        """Return its requirements on a project."""
        return tuple(requirement for requirement in self.requirements if named(requirement) == project)

    def broken_by(self, project: NormalizedName, version: Version) -> bool:
        """Return whether a version of another project violates its requirements."""
        return any(not requirement.specifier.contains(version, prereleases=True) for requirement in self.on(project))

    @property
    def names(self) -> frozenset[NormalizedName]:
        """Its project, those that it requires or constrains, and those beside which it counts."""
        return frozenset((self.project, *map(named, (*self.requirements, *self.beside))))

    @property
    def partners(self) -> tuple[NormalizedName, ...]:
        """The projects on whose versions it looks: those that it constrains, or beside which it counts; none if it only
        warns.
        """
        if self.warns_only:
            return ()
        constrained = self.requirements if self.effect is Effect.CONSTRAINS else ()
        return tuple(dict.fromkeys(map(named, (*constrained, *self.beside))))

    @property
    def when(self) -> dict[str, Plain]:
        """Its conditions on the target, as written in a file of rules."""
        stated: dict[str, Plain] = {
            "marker": None if self.marker is None else str(self.marker),
            "macos": None if self.macos is None else str(self.macos),
            "translated": self.translated,
            "beside": list(map(str, self.beside)) or None,
        }
        return {key: value for key, value in stated.items() if value is not None}

    def to_dict(self) -> dict[str, Plain]:
        """Return the form in documents, with every field."""
        return {
            "id": self.id,
            "project": self.project,
            "versions": str(self.versions),
            "when": self.when,
            "effect": self.effect.value,
            "requirements": [str(requirement) for requirement in self.requirements],
            "why": self.why,
            "sources": [source.to_dict() for source in self.sources],
            "evidence": self.evidence,
            "confidence": self.confidence,
        }


def named(requirement: Requirement) -> NormalizedName:
    """Return the project of a requirement."""
    return canonicalize_name(requirement.name)


class RulesByProject(Mapping[NormalizedName, "tuple[Rule, ...]"]):
    """The rules of each project, read on first access.

    Args:
        names: the projects that have rules.
        read: returns the rules of one of them.
    """

    def __init__(self, names: Iterable[NormalizedName], read: Callable[[NormalizedName], tuple[Rule, ...]]) -> None:
        self._read = read
        self._sheets: dict[NormalizedName, tuple[Rule, ...] | None] = dict.fromkeys(names)

    def __getitem__(self, name: NormalizedName) -> tuple[Rule, ...]:
        rows = self._sheets[name]
        if rows is None:
            rows = self._sheets[name] = self._read(name)
        return rows

    def __iter__(self) -> Iterator[NormalizedName]:
        return iter(self._sheets)

    def __len__(self) -> int:
        return len(self._sheets)


class Rules:
    """An immutable collection of rules. Predicted ones never reject: see `predicted`.

    Args:
        sheets: the rules of each project.
        constrainers: for each project on whose versions rules look, the projects of these rules; so these are known
            without reading them.
    """

    def __init__(
        self,
        sheets: Mapping[NormalizedName, tuple[Rule, ...]],
        constrainers: Mapping[NormalizedName, frozenset[NormalizedName]],
    ) -> None:
        self._sheets = sheets
        self.constrainers = constrainers
        self.projects = frozenset(sheets)

    @classmethod
    def of(cls, rows: Iterable[Rule]) -> Rules:
        """Return a collection of rules."""
        sheets: dict[NormalizedName, tuple[Rule, ...]] = {}
        constrainers: dict[NormalizedName, frozenset[NormalizedName]] = {}
        for rule in rows:
            sheets[rule.project] = (*sheets.get(rule.project, ()), rule)
            for other in rule.partners:
                constrainers[other] = constrainers.get(other, frozenset()) | {rule.project}
        return cls(sheets, constrainers)

    def __iter__(self) -> Iterator[Rule]:
        return (rule for rows in self._sheets.values() for rule in rows)

    def __len__(self) -> int:
        return sum(map(len, self._sheets.values()))

    def __bool__(self) -> bool:
        return bool(self._sheets)

    def about(self, name: NormalizedName) -> tuple[Rule, ...]:
        """Return every rule for a project, whatever the version and the target."""
        return self._sheets.get(name, ())

    def selected(self, projects: Iterable[str] = (), targets: Collection[Target] = ()) -> tuple[Rule, ...]:
        """Return the rules that name one of some projects, on some targets; none of either means all.

        Raises:
            UsageError: no rule names a project.
        """
        wanted = frozenset(map(canonicalize_name, projects))
        known = frozenset(name for rule in self for name in rule.names)
        for name in sorted(wanted - known):
            near = _near(name, sorted(known)) or "Without a name, all rules are listed."
            raise UsageError(f"There is no rule about {_shown(name)}. {near}")
        rows = (rule for rule in self if not wanted or wanted & rule.names)
        return tuple(rule for rule in rows if not targets or any(map(rule.is_about, targets)))

    def forbidding(self, name: NormalizedName, version: Version, target: Target) -> tuple[Rule, ...]:
        """Return the rules that forbid every file of this version on this target."""
        return self._binding(Effect.FORBIDS, name, version, target)

    def requiring(
        self, name: NormalizedName, version: Version, target: Target, chosen: Mapping[NormalizedName, Version]
    ) -> tuple[tuple[Rule, Requirement], ...]:
        """Return the rules that add requirements to this version on this target, beside what else is chosen."""
        rows = self._binding(Effect.REQUIRES, name, version, target)
        return _pairs(rule for rule in rows if rule.is_beside(chosen))

    def requiring_beside(
        self,
        name: NormalizedName,
        version: Version,
        other: NormalizedName,
        other_version: Version,
        target: Target,
    ) -> tuple[tuple[Rule, Requirement], ...]:
        """Return the rules that add requirements to this version because of a version of another project."""
        added = self.requiring(name, version, target, {other: other_version})
        return tuple((rule, requirement) for rule, requirement in added if rule.beside)

    def constraining(
        self, name: NormalizedName, version: Version, target: Target
    ) -> tuple[tuple[Rule, Requirement], ...]:
        """Return the rules that constrain other projects in an answer with this version."""
        return _pairs(self._binding(Effect.CONSTRAINS, name, version, target))

    def predicted(self, name: NormalizedName, version: Version, target: Target) -> tuple[Rule, ...]:
        """Return the predicted rules, of any effect, for this version on this target."""
        return tuple(rule for rule in self.about(name) if rule.warns_only and rule.applies_to(version, target))

    def partners(self, name: NormalizedName) -> frozenset[NormalizedName]:
        """Return the projects that rules connect with this one, in either direction."""
        own = (other for rule in self.about(name) for other in rule.partners)
        return self.constrainers.get(name, frozenset()).union(own)

    def violated(
        self,
        name: NormalizedName,
        version: Version,
        other: NormalizedName,
        other_version: Version,
        target: Target,
    ) -> tuple[Rule, ...]:
        """Return the constraining rules, of either project, that exclude this pair of versions."""
        return (
            *(r for r in self._constrainers(name, version, target) if r.broken_by(other, other_version)),
            *(r for r in self._constrainers(other, other_version, target) if r.broken_by(name, version)),
        )

    def named(self, id: str) -> Rule:  # noqa: A002 -- the field of this name
        """Return the rule with an id.

        Raises:
            UsageError: there is none.
        """
        likely_first = sorted(self._sheets, key=lambda name: not id.startswith(name))
        found = (rule for name in likely_first for rule in self._sheets[name] if rule.id == id)
        rule = next(found, None)
        if rule is None:
            raise UsageError(_unknown_id(id, [one.id for one in self]))
        return rule

    def without(self, ids: Iterable[str]) -> Rules:
        """Return all rules but those with the given ids.

        Raises:
            UsageError: there is no rule with an id.
        """
        ignored = {self.named(one).id for one in ids}
        return self._but(ignored, NO_RULES) if ignored else self

    def overridden_by(self, other: Rules) -> Rules:
        """Return these rules and the other ones; the others replace those with the same id."""
        return self._but({rule.id for rule in other}, other)

    def _but(self, ids: Container[str], other: Rules) -> Rules:
        """Return these rules without some, and the other ones."""

        def sheet(name: NormalizedName) -> tuple[Rule, ...]:
            return (*(rule for rule in self.about(name) if rule.id not in ids), *other.about(name))

        constrainers = dict(self.constrainers)
        for name, projects in other.constrainers.items():
            constrainers[name] = constrainers.get(name, frozenset()) | projects
        return Rules(RulesByProject(dict.fromkeys((*self._sheets, *other._sheets)), sheet), constrainers)

    def _constrainers(self, name: NormalizedName, version: Version, target: Target) -> tuple[Rule, ...]:
        return self._binding(Effect.CONSTRAINS, name, version, target)

    def _binding(self, effect: Effect, name: NormalizedName, version: Version, target: Target) -> tuple[Rule, ...]:
        rows = (rule for rule in self.about(name) if rule.effect is effect and not rule.warns_only)
        return tuple(rule for rule in rows if rule.applies_to(version, target))


NO_RULES = Rules({}, {})


def _pairs(rows: Iterable[Rule]) -> tuple[tuple[Rule, Requirement], ...]:
    return tuple((rule, requirement) for rule in rows for requirement in rule.requirements)


def _unknown_id(unknown: str, known: list[str]) -> str:
    hint = _near(unknown, known) or 'The command "wheelcheck rules list" shows all of them.'
    return f"There is no rule {_shown(unknown)}. {hint}"


def _near(unknown: str, known: Sequence[str]) -> str:
    """Return a hint at what may have been meant, if something is similar."""
    from difflib import get_close_matches

    near = " or ".join(get_close_matches(unknown, known, n=3, cutoff=0.5))
    return f"Did you mean {near}?" if near else ""


# -- reading


def load_rules(texts: Iterable[tuple[str, str]]) -> Rules:
    """Parse rules from TOML texts.

    Args:
        texts: pairs of a place, such as a path, for error messages, and the text. The keys of a text are ``project``
            and ``rule``, a list of tables; see `ROW_KEYS`, `WHEN_KEYS` and `SOURCE_KEYS`.

    Raises:
        UsageError: invalid TOML, an unknown or missing key, a malformed value, or two rules with one id.
    """
    places: dict[str, str] = {}
    rows: list[Rule] = []
    for place, text in texts:
        for rule in _read_file(place, text):
            if rule.id in places:
                raise UsageError(
                    f"{place}, rule {rule.id}: the id is already used in {places[rule.id]}; give one another id."
                )
            places[rule.id] = place
            rows.append(rule)
    return Rules.of(rows)


MAX_LENGTH = 4_000
"""Maximum length of a line and of a parsed value; far longer ones keep a parser busy for minutes."""
FILE_KEYS = {"project": True, "rule": True}
ROW_KEYS = {
    "id": True,
    "versions": True,
    "when": False,
    "effect": True,
    "requirements": False,
    "why": True,
    "sources": True,
    "evidence": True,
    "confidence": True,
}
WHEN_KEYS = {"marker": False, "macos": False, "translated": False, "beside": False}
SOURCE_KEYS = {"url": False, "fact": False, "date": True}
"""The keys of each table, and whether they are mandatory; ``schema.json`` says the same to editors."""


def _read_file(place: str, text: str) -> Iterator[Rule]:
    at = _Place(place)
    table = _table(_toml(place, text), FILE_KEYS, at)
    project = _parsed(_project, table["project"], at.key("project"), 'a project name, such as "tensorflow"')
    for number, row in enumerate(_list(table["rule"], at.key("rule"), "[[rule]] tables"), 1):
        yield _read_row(row, project, at.row(row, number))


def _read_row(row: Any, project: NormalizedName, at: _Place) -> Rule:
    row = _table(row, ROW_KEYS, at)
    when = _table(row.get("when", {}), WHEN_KEYS, at.key("when"))
    effect = Effect(_choice(row["effect"], tuple(e.value for e in Effect), at.key("effect")))
    beside = _beside(when["beside"], effect, project, at.key("when.beside")) if "beside" in when else ()
    return Rule(
        id=_parsed(_id, row["id"], at.key("id"), "an id of lower-case letters, digits, dots and dashes"),
        project=project,
        versions=_specifiers(row["versions"], at.key("versions"), ">=2.7,<2.12"),
        marker=_marker(when["marker"], at.key("when.marker")) if "marker" in when else None,
        macos=_specifiers(when["macos"], at.key("when.macos"), "<12.1") if "macos" in when else None,
        translated=_bool(when["translated"], at.key("when.translated")) if "translated" in when else None,
        beside=beside,
        effect=effect,
        requirements=_requirements(row, effect, project, at.key("requirements")),
        why=_sentence(row["why"], at.key("why")),
        sources=_sources(row["sources"], at.key("sources")),
        evidence=_choice(row["evidence"], EVIDENCE, at.key("evidence")),
        confidence=_choice(row["confidence"], CONFIDENCE, at.key("confidence")),
    )


def _requirements(row: Mapping[str, Any], effect: Effect, project: str, at: _Place) -> tuple[Requirement, ...]:
    texts = _list(row.get("requirements", []), at, 'strings, such as ["numpy<2"]')
    if effect is Effect.FORBIDS and texts:
        at.refuse("a rule that forbids a file has none; remove the key, or choose another effect")
    if effect is not Effect.FORBIDS and not texts:
        at.refuse(f'a rule that {effect.value} something must list it, such as ["numpy<2"]')
    found = tuple(_parsed(requirement_of, text, at, 'a requirement (PEP 508), such as "numpy<2"') for text in texts)
    for requirement in found:
        _check_requirement(requirement, effect, project, at)
    return found


def _beside(value: Any, effect: Effect, project: str, at: _Place) -> tuple[Requirement, ...]:
    texts = _list(value, at, 'strings, such as ["tensorflow>=2.16"]')
    if effect is not Effect.REQUIRES:
        at.refuse("only a rule that requires something can depend on what is beside its project")
    if not texts:
        at.refuse('it is empty; write ["tensorflow>=2.16"], or remove the key')
    found = tuple(
        _parsed(requirement_of, text, at, 'a requirement (PEP 508), such as "tensorflow>=2.16"') for text in texts
    )
    for other in found:
        _check_requirement(other, Effect.CONSTRAINS, project, at)
    return found


def _check_requirement(requirement: Requirement, effect: Effect, project: str, at: _Place) -> None:
    if requirement.url or requirement.marker:
        why = "has a URL or a marker; give versions here, and the marker under when.marker"
    elif named(requirement) == project:
        why = "is about the rule's own project; to refuse some of its versions use the effect forbids"
    elif requirement.specifier.is_unsatisfiable():
        at.refuse(f"no version fits {_shown(str(requirement))}")
    elif effect is Effect.CONSTRAINS and (requirement.extras or not requirement.specifier):
        why = "constrains nothing: give versions, and no extras"
    else:
        return
    at.refuse(f"{_shown(str(requirement))} {why}")


def _sources(value: Any, at: _Place) -> tuple[Source, ...]:
    tables = _list(value, at, "tables, each with url or fact, and date")
    if not tables:
        at.refuse("a rule needs at least one source, with url or fact, and date")
    return tuple(_source(table, at) for table in tables)


def _source(value: Any, at: _Place) -> Source:
    table = _table(value, SOURCE_KEYS, at)
    if ("url" in table) == ("fact" in table):
        at.refuse("a source has either url or fact, and exactly one of them")
    return Source(
        url=_parsed(_url, table["url"], at.key("url"), "an http or https address") if "url" in table else None,
        fact=_sentence(table["fact"], at.key("fact")) if "fact" in table else None,
        date=_parsed(_date, table["date"], at.key("date"), 'a date in quotes, such as "2026-11-22"'),
    )


def _marker(value: Any, at: _Place) -> Marker:
    marker: Marker = _parsed(
        marker_of, value, at, "an environment marker (PEP 508), such as \"sys_platform == 'darwin'\""
    )
    if not _can_be_evaluated(marker):
        at.refuse(f"{_shown(value)} compares what cannot be compared, or names an extra, of which a rule knows nothing")
    return marker


def _can_be_evaluated(marker: Marker | PlainMarker) -> bool:
    if isinstance(marker, PlainMarker):
        return "extra" not in marker.variables
    try:
        marker.evaluate(context="requirement")
    except (ValueError, LookupError):  # UndefinedComparison, UndefinedEnvironmentName
        return False
    return True


def _specifiers(value: Any, at: _Place, example: str) -> SpecifierSet:
    found: SpecifierSet = _parsed(specifiers_of, value, at, f'a version specifier (PEP 440), such as "{example}"')
    if not found:
        at.refuse(f'it is empty; write "{example}", or ">=0" for every version')
    if found.is_unsatisfiable():
        at.refuse(f"no version fits {_shown(value)}")
    return found


def _project(text: str) -> NormalizedName:
    return canonicalize_name(_matching(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", text))


def _id(text: str) -> str:
    return _matching(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", text)


def _url(text: str) -> str:
    return _matching(r"https?://[^\s/]+(?:/\S*)?", text)


def _date(text: str) -> str:
    from datetime import date

    return date.fromisoformat(_matching(r"\d{4}-\d{2}-\d{2}", text)).isoformat()


def _matching(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValueError(text)
    return text


# -- shapes, each refused with its place


class _Place(str):
    """A position in a file of rules, in words."""

    __slots__ = ()

    def row(self, row: Any, number: int) -> _Place:
        stated = row.get("id") if isinstance(row, dict) else None
        return _Place(f"{self}, rule {stated if isinstance(stated, str) and stated else f'number {number}'}")

    def key(self, key: str) -> _Place:
        return _Place(f"{self}, {key}")

    def refuse(self, why: str) -> NoReturn:
        raise UsageError(f"{self}: {why}.")


def _toml(place: str, text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    long = next((number for number, line in enumerate(text.split("\n"), 1) if len(line) > MAX_LENGTH), None)
    if long is not None:
        raise UsageError(f"{place}, line {long} is longer than {MAX_LENGTH:,} characters; write it as several lines.")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"{place} is not a file of rules: it is nested too deeply.") from None
    except ValueError as error:
        raise UsageError(f"{place} is not a TOML file: {error}.") from None


def _table(value: Any, keys: Mapping[str, bool], at: _Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        at.refuse(f"{_shown(value)} is not a table with the keys {_listed(keys)}")
    for key in value:
        if key not in keys:
            at.refuse(f"the key {_shown(key)} is not known; the keys are {_listed(keys)}")
    for key, needed in keys.items():
        if needed and key not in value:
            at.refuse(f"the key {key} is missing")
    return value


def _list(value: Any, at: _Place, of: str) -> list[Any]:
    return value if isinstance(value, list) else at.refuse(f"{_shown(value)} is not a list of {of}")


def _bool(value: Any, at: _Place) -> bool:
    return value if isinstance(value, bool) else at.refuse(f"{_shown(value)} is neither true nor false")


def _choice(value: Any, allowed: tuple[str, ...], at: _Place) -> str:
    if not isinstance(value, str) or value not in allowed:
        at.refuse(f"{_shown(value)} is not one of {_listed(allowed)}")
    return value


def _sentence(value: Any, at: _Place) -> str:
    if not isinstance(value, str) or not value.strip():
        at.refuse(f"{_shown(value)} is not a sentence")
    return " ".join(value.split())


def _parsed(parse: Callable[[str], Any], value: Any, at: _Place, what: str) -> Any:
    try:
        if isinstance(value, str) and len(value) <= MAX_LENGTH:
            return parse(value)
    except (ValueError, RecursionError):
        pass
    return at.refuse(f"{_shown(value)} is not {what}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _listed(words: Iterable[str]) -> str:
    *head, last = words
    return f"{', '.join(head)} and {last}" if head else last
