"""``wheelcheck rules verify`` and ``rules show``: the curated rules held against an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain, islice
from time import thread_time
from typing import TYPE_CHECKING

from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import Plain, plain, record, replace
from wheelcheck.inputs.options import complete
from wheelcheck.inputs.request import Request
from wheelcheck.resolver.compatibility import Compatible, Judge
from wheelcheck.resolver.limits import Budget
from wheelcheck.rules.audit import (
    AlreadySaid,
    Audit,
    Beside,
    Difference,
    Finding,
    NoAnswer,
    NoDifference,
    NoFile,
    NotTold,
    NoVersion,
    but,
    is_said,
    stated,
)
from wheelcheck.rules.load import rules_in_force
from wheelcheck.rules.model import NO_RULES, Effect, Rule, Rules
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from packaging.version import Version
    from typing_extensions import Self, Unpack

    from wheelcheck.index.index import Index
    from wheelcheck.inputs.options import Options
    from wheelcheck.targets.target import Target

PLATFORMS = (
    *("manylinux_2_28_x86_64", "macos-15-arm64", "windows-amd64", "macos-15-x86_64", "manylinux_2_28_aarch64"),
    *(
        f"macos-{version}-{machine}"
        for version in ("14", "13", "12.6", "12.0", "11.0")
        for machine in ("arm64", "x86_64")
    ),
    "macos-10.15-x86_64",
)
PYTHONS = tuple(f"cp3{minor}" for minor in range(14, 5, -1))
MAX_VERSIONS = 6
"""For how many versions a difference is looked for."""
MAX_LOOKED_AT = 50
"""How many of the newest versions of a project may be new releases."""


@record
class NewReleases:
    """Final releases that were uploaded after the rules of their project were last looked at, and that none covers."""

    project: NormalizedName
    since: str
    versions: tuple[Version, ...]

    def to_dict(self) -> dict[str, Plain]:
        """The form under `new_releases`."""
        return {"project": self.project, "since": self.since, "versions": plain(self.versions)}


@record
class Verification:
    """The rules beside what an index says.

    Attributes:
        audits: what was found, a rule each.
        new_releases: what appeared since, and is covered by no rule; that need not be wrong.
        sources: the indexes that were asked.
        notices: what the user should hear besides.
    """

    audits: tuple[Audit, ...]
    new_releases: tuple[NewReleases, ...]
    sources: tuple[str, ...]
    notices: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where a rule is stale; else 2 where an index did not answer; else 0."""
        if any(audit.state == "stale" for audit in self.audits):
            return 1
        return 2 if any(isinstance(found, NotTold) for audit in self.audits for found in audit.findings) else 0

    @property
    def ok(self) -> bool:
        """Whether no rule is stale and everything was answered."""
        return self.exit_code == 0

    def to_dict(self) -> dict[str, Plain]:
        """The document ``wheelcheck/rules-verify/1``."""
        return {
            "schema": "wheelcheck/rules-verify/1",
            "ok": self.ok,
            "rules": plain(self.audits),
            "new_releases": plain(self.new_releases),
            "sources": list(self.sources),
        }


def verify_rules(names: Iterable[str] = (), **options: Unpack[Options]) -> Verification:
    """Holds curated rules against an index: are their versions there, do their files still lack what the rule adds, and
    would an answer be another one without it.

    Args:
        names: ids of rules, or projects all of whose rules are meant; none for all rules.
        options: those of `wheelcheck.check` on indexes, the cache and rules.

    Raises:
        UsageError: there is no such rule or project, or an option is malformed.
    """
    rules = rules_in_force(complete(options)["rules"])
    rows = _chosen(rules, tuple(names))
    notices: list[str] = []
    with _Desk(rules, options, notices) as desk:
        for name in dict.fromkeys(name for rule in rows for name in sorted(rule.names)):
            desk.index.start_page(name)
        audits = tuple(map(desk.audit, rows))
        fresh = tuple(
            found for name in dict.fromkeys(rule.project for rule in rows) for found in desk.new_releases(name)
        )
        return Verification(audits=audits, new_releases=fresh, sources=desk.index.sources, notices=tuple(notices))


def show_rule(id: str, **options: Unpack[Options]) -> Audit:  # noqa: A002 -- the field of this name
    """A rule, and what the index's metadata says beside it; `findings` say why where that could not be told.

    Raises:
        UsageError: there is no such rule, or an option is malformed.
    """
    rules = rules_in_force(complete(options)["rules"])
    rule = rules.named(id)
    with _Desk(rules, options, []) as desk:
        return desk.look(rule)


def _chosen(rules: Rules, names: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of some ids and projects."""
    chosen: dict[Rule, None] = {}
    for name in names:
        of_project = rules.about(canonicalize_name(name))
        chosen |= dict.fromkeys(of_project or (rules.named(name),))
    return tuple(chosen) if names else tuple(rules)


class _Desk:
    """Where rules are held against an index."""

    def __init__(self, rules: Rules, options: Options, notices: list[str]) -> None:
        self._rules = rules
        self._options = options
        request = self._request("wheelcheck", read_target(f"{PLATFORMS[0]}-{PYTHONS[0]}"))
        self._opened = request.opened_index(notices.append)

    def __enter__(self) -> Self:
        self.index: Index = self._opened.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.__exit__(*error)  # type: ignore[arg-type]

    def _request(self, question: str, target: Target) -> Request:
        return Request.read(question.split(" and "), (target,), complete(self._options))

    # -- what is there

    def audit(self, rule: Rule) -> Audit:
        """Everything about a rule."""
        looked = self.look(rule)
        if looked.findings:
            return looked
        try:
            places = list(self._places(rule, looked.covered))
            said = tuple(self._said(rule, places))
            if said:
                return replace(looked, findings=said)
            difference, undecided = self._difference(rule, [file.version for file, _ in places])
        except UndeterminedError as error:
            return replace(looked, findings=(NotTold(why=str(error)),))
        return replace(looked, difference=difference, findings=undecided)

    def look(self, rule: Rule) -> Audit:
        """The versions of a rule that are there, and what the newest and the oldest that fit a target say."""
        try:
            page = self.index.page(rule.project)
            covered = tuple(v for v in page.versions if rule.covers(v)) if page is not None else ()
            if not covered:
                return Audit(rule=rule, findings=(NoVersion(),))
            ends = dict.fromkeys(chain(*(islice(self._places(rule, way), 1) for way in (covered, covered[::-1]))))
            if not ends:
                return Audit(rule=rule, covered=covered, findings=(NoFile(),))
            return Audit(rule=rule, covered=covered, beside=tuple(self._beside(rule, *place) for place in ends))
        except UndeterminedError as error:
            return Audit(rule=rule, findings=(NotTold(why=str(error)),))

    def _beside(self, rule: Rule, file: Listed, target: Target) -> Beside:
        told = self.index.metadata(file)
        said = tuple(map(str, stated(rule, told, target))) if isinstance(told, Metadata) else None
        return Beside(version=file.version, filename=file.filename, target=target.name, requirements=said)

    def _places(self, rule: Rule, versions: Iterable[Version]) -> Iterator[tuple[Listed, Target]]:
        """For each version that fits a target which a rule is about, the best file and that target."""
        targets = [target for target in _targets() if rule.is_about(target)]
        for version in versions:
            fitting = ((self._file(rule.project, version, target), target) for target in targets)
            yield from islice(((file, target) for file, target in fitting if file is not None), 1)

    def _file(self, name: NormalizedName, version: Version, target: Target) -> Listed | None:
        """The best wheel of a version for a target, as far as tags and Requires-Python tell."""
        page = self.index.page(name)
        judged = ((_judge(target).verdict(file), file) for file in page.shelf(version).listed) if page else ()
        ranked = [(verdict.rank, file.filename, file) for verdict, file in judged if isinstance(verdict, Compatible)]
        return min(ranked, key=lambda each: each[:2])[2] if ranked else None

    # -- what it would be without the rule

    def _said(self, rule: Rule, places: Sequence[tuple[Listed, Target]]) -> Iterator[Finding]:
        """Whether every version says by itself what the rule adds."""
        if not rule.requirements:
            return
        for file, _ in places:
            self.index.start_metadata(file)
        told = ((file, self.index.metadata(file), target) for file, target in places)
        if all(isinstance(one, Metadata) and is_said(rule, one, to, self._published) for _, one, to in told):
            yield AlreadySaid(versions=tuple(file.version for file, _ in places))

    def _published(self, name: NormalizedName) -> Sequence[Version]:
        page = self.index.page(name)
        return tuple(page.versions) if page is not None else ()

    def _difference(self, rule: Rule, versions: Iterable[Version]) -> tuple[Difference | None, tuple[Finding, ...]]:
        """The first difference that a rule by itself makes, or that it makes none."""
        if rule.warns_only:
            return None, ()
        same: list[str] = []
        unanswered: list[str] = []
        for question, target in chain.from_iterable(self._questions(rule, v) for v in islice(versions, MAX_VERSIONS)):
            shown = f"{question} on {target.name}"
            before, after = (self._answer(question, target, rules) for rules in (NO_RULES, Rules.of([rule])))
            if before != after:
                return Difference(question=shown, before=but(before, after), after=but(after, before)), ()
            (unanswered if before is None else same).append(shown)
        found = NoDifference(questions=tuple(same)) if same else NoAnswer(questions=tuple(unanswered))
        return None, (found,)

    def _questions(self, rule: Rule, version: Version) -> Iterator[tuple[str, Target]]:
        """What to ask about a version: it alone, it beside what the rule constrains, and it beside what it refuses."""
        targets = [
            target for target in _targets() if rule.is_about(target) and self._file(rule.project, version, target)
        ]
        others = sorted(rule.names - {rule.project})
        beside = others[:1] if rule.effect is Effect.CONSTRAINS else []
        yield " and ".join((f"{rule.project}=={version}", *beside)), targets[0]
        for other in others:
            refused = [v for v in self._published(other) if rule.broken_by(other, v) and not v.is_prerelease]
            there = ((v, target) for target in targets for v in refused if self._file(other, v, target))
            for worst, target in islice(there, 1):
                yield f"{rule.project}=={version} and {other}=={worst}", target

    def _answer(self, question: str, target: Target, rules: Rules) -> dict[str, str] | None:
        from wheelcheck.resolver.resolve import solve

        asked = replace(self._request(question, target).question(target), rules=rules)
        solution = solve(asked, self.index, Budget(thread_time))
        return {pin.name: str(pin.version) for pin in solution.pins} if solution else None

    # -- what came since

    def new_releases(self, project: NormalizedName) -> Iterator[NewReleases]:
        """Final releases that came after the newest source of a project's rules, and that none of them covers."""
        rows = self._rules.about(project)
        since = max((source.date for rule in rows for source in rule.sources), default="")
        try:
            page = self.index.page(project)
        except UndeterminedError:
            return
        newest = islice((v for v in page.versions if not v.is_prerelease), MAX_LOOKED_AT) if page else ()
        versions = tuple(
            v for v in newest if page and _uploaded(page, v) > since and not any(rule.covers(v) for rule in rows)
        )
        if versions:
            yield NewReleases(project=project, since=since, versions=versions)


def _uploaded(page: ProjectPage, version: Version) -> str:
    """The day on which the first file of a version came; empty where nobody says."""
    times = [file.upload_time for file in page.shelf(version).listed if file.upload_time]
    return min(times)[:10] if times else ""


@cache
def _judge(target: Target) -> Judge:
    return Judge(target)


@lru_cache(maxsize=1)
def _targets() -> tuple[Target, ...]:
    """The usual targets, newest Pythons first; an x86_64 macOS also as Rosetta translates it."""
    found = []
    for python in PYTHONS:
        for platform in PLATFORMS:
            try:
                target = read_target(f"{platform}-{python}")
            except UsageError:
                continue
            found.append(target)
            if platform.endswith("x86_64") and platform.startswith("macos"):
                found.append(replace(target, translated=True))
    return tuple(found)
