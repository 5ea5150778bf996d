"""Compare the curated rules with an index: ``wheelcheck rules verify`` and ``rules show``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, groupby, islice, product
from time import thread_time
from typing import TYPE_CHECKING, TypeAlias

from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import Plain, Truthful, plain, record, replace
from wheelcheck.inputs.options import complete
from wheelcheck.inputs.request import Request
from wheelcheck.resolver.compatibility import Compatible, Judge
from wheelcheck.resolver.limits import Budget
from wheelcheck.rules.audit import (
    AlreadyInMetadata,
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
    is_in_metadata,
    stated,
)
from wheelcheck.rules.load import imported, rules_in_force
from wheelcheck.rules.model import NO_RULES, Effect, Rule, Rules, named
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage, Wheel
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from packaging.version import Version
    from typing_extensions import Self, Unpack

    from wheelcheck.index.index import Index
    from wheelcheck.inputs.options import Options
    from wheelcheck.targets.target import Target

_Pins: TypeAlias = "dict[str, str] | None"

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
"""Maximum number of versions, of the rule's project and of another one, for which a difference is sought."""
MAX_QUESTIONS = 60
"""Maximum number of questions on one rule; each takes two resolutions. Most rules need one or two."""


@record
class Uncovered:
    """Final releases with wheels that neither a rule of their project nor a recorded import run covers.

    Attributes:
        project: the project.
        since: the date of the newest source of its rules; empty where it has none.
        old: those that were there then, newest first; releases with none between them stand together.
        new: those that were uploaded later, if the index publishes upload times.
    """

    project: NormalizedName
    since: str
    old: tuple[tuple[Version, ...], ...]
    new: tuple[tuple[Version, ...], ...]

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `uncovered`."""
        old, new = (plain(tuple(chain.from_iterable(spans))) for spans in (self.old, self.new))
        return {"project": self.project, "since": self.since, "old": old, "new": new}


@record
class Verification(Truthful):
    """The rules compared with an index.

    Attributes:
        audits: one for each rule.
        uncovered: releases of the requested projects, or of all with rules, that neither a rule nor an import run
            covers; they need not be wrong.
        sources: the queried indexes.
        notices: what the user should hear of.
    """

    audits: tuple[Audit, ...]
    uncovered: tuple[Uncovered, ...]
    sources: tuple[str, ...]
    notices: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where a rule is stale; otherwise 2 where an index could not be queried; otherwise 0."""
        if any(audit.state == "stale" for audit in self.audits):
            return 1
        return 2 if any(isinstance(found, NotTold) for audit in self.audits for found in audit.findings) else 0

    @property
    def ok(self) -> bool:
        """Whether no rule is stale or unknown."""
        return self.exit_code == 0

    def to_dict(self) -> dict[str, Plain]:
        """Return the document ``wheelcheck/rules-verify/1``."""
        return {
            "schema": "wheelcheck/rules-verify/1",
            "ok": self.ok,
            "rules": plain(self.audits),
            "uncovered": plain(self.uncovered),
            "sources": list(self.sources),
        }


def verify_rules(names: Iterable[str] = (), **options: Unpack[Options]) -> Verification:
    """Compare curated rules with an index.

    Checked is whether the rule's versions exist, whether the metadata of their files still lacks what the rule adds,
    and whether an answer would differ without it. Releases of these projects that neither a rule nor an import run
    covers are listed, too.

    Args:
        names: ids of rules, or projects; none for all rules.
        options: those of `wheelcheck.check` on indexes, the cache and rules.

    Raises:
        UsageError: there is no such rule or project, or an option is malformed.
    """
    rules = rules_in_force(complete(options)["rules"])
    names = tuple(names)
    rows = _chosen(rules, names)
    notices: list[str] = []
    with _Auditor(rules, options, notices) as auditor:
        for name in dict.fromkeys(name for rule in rows for name in sorted(rule.names)):
            auditor.index.start_page(name)
        audits = tuple(map(auditor.audit, rows))
        named_ones = (name for name in map(canonicalize_name, names) if rules.about(name))
        projects = dict.fromkeys(named_ones if names else sorted(rules.projects))
        uncovered = tuple(chain.from_iterable(map(auditor.uncovered, projects)))
        return Verification(audits=audits, uncovered=uncovered, sources=auditor.index.sources, notices=tuple(notices))


def show_rule(id: str, **options: Unpack[Options]) -> Audit:  # noqa: A002 -- the field of this name
    """Return a rule with the metadata on the index beside it; `findings` say why where that is unknown.

    Raises:
        UsageError: there is no such rule, or an option is malformed.
    """
    rules = rules_in_force(complete(options)["rules"])
    rule = rules.named(id)
    with _Auditor(rules, options, []) as auditor:
        return auditor.look(rule)


def _chosen(rules: Rules, names: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules with some ids or of some projects."""
    chosen: dict[Rule, None] = {}
    for name in names:
        of_project = rules.about(canonicalize_name(name))
        chosen |= dict.fromkeys(of_project or (rules.named(name),))
    return tuple(chosen) if names else tuple(rules)


class _Auditor:
    """Compare rules with one index."""

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
        """Return everything about a rule."""
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
        """Return the listed versions of a rule, and the metadata of the newest and the oldest that fit a target."""
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
        metadata = self.index.metadata(file)
        said = tuple(map(str, stated(rule, metadata, target))) if isinstance(metadata, Metadata) else None
        return Beside(version=file.version, filename=file.filename, target=target.name, requirements=said)

    def _places(self, rule: Rule, versions: Iterable[Version]) -> Iterator[tuple[Listed, Target]]:
        """Yield, for each version that fits a target of a rule, the best file and that target."""
        targets = _targets_of(rule)
        for version in versions:
            fitting = ((self._file(rule.project, version, target), target) for target in targets)
            yield from islice(((file, target) for file, target in fitting if file is not None), 1)

    def _file(self, name: NormalizedName, version: Version, target: Target) -> Listed | None:
        """Return the best wheel of a version for a target, by tags and Requires-Python."""
        page = self.index.page(name)
        judged = ((_judge(target).verdict(file), file) for file in page.files_of(version).listed) if page else ()
        ranked = [(verdict.rank, file.filename, file) for verdict, file in judged if isinstance(verdict, Compatible)]
        return min(ranked, key=lambda each: each[:2])[2] if ranked else None

    # -- what it would be without the rule

    def _said(self, rule: Rule, places: Sequence[tuple[Listed, Target]]) -> Iterator[Finding]:
        """Return whether the metadata of every version already says what the rule adds."""
        if not rule.requirements:
            return
        for file, _ in places:
            self.index.start_metadata(file)
        results = ((file, self.index.metadata(file), target) for file, target in places)
        if all(isinstance(one, Metadata) and is_in_metadata(rule, one, to, self._published) for _, one, to in results):
            yield AlreadyInMetadata(versions=tuple(file.version for file, _ in places))

    def _published(self, name: NormalizedName) -> Sequence[Version]:
        page = self.index.page(name)
        return tuple(page.versions) if page is not None else ()

    def _difference(self, rule: Rule, versions: Iterable[Version]) -> tuple[Difference | None, tuple[Finding, ...]]:
        """Return the first difference that the rule alone makes, or the finding that it makes none."""
        if rule.warns_only:
            return None, ()
        same: list[str] = []
        unanswered: list[str] = []
        questions = chain.from_iterable(self._questions(rule, version) for version in islice(versions, MAX_VERSIONS))
        for question, targets in islice(questions, MAX_QUESTIONS):
            shown, before, after = self._first_answer(question, targets, rule)
            if before != after:
                return Difference(question=shown, before=but(before, after), after=but(after, before)), ()
            (unanswered if before is None else same).append(shown)
        found = NoDifference(questions=tuple(same)) if same else NoAnswer(questions=tuple(unanswered))
        return None, (found,)

    def _questions(self, rule: Rule, version: Version) -> Iterator[tuple[str, list[Target]]]:
        """Yield questions about a version: alone or beside what the rule is about, and beside what it excludes."""
        targets = [target for target in _targets_of(rule) if self._file(rule.project, version, target)]
        others = sorted(frozenset(map(named, rule.requirements)))
        with_it = list(map(str, rule.beside)) or (others if rule.effect is Effect.CONSTRAINS else [])
        yield " and ".join((f"{rule.project}=={version}", *with_it[:1])), _one_a_python(targets)
        for other in others:
            refused = [v for v in self._published(other) if rule.broken_by(other, v) and not v.is_prerelease]
            for worst in islice(_newest_of_each_series(refused), MAX_VERSIONS):
                shared = [target for target in targets if self._file(other, worst, target)]
                if shared:
                    yield f"{rule.project}=={version} and {other}=={worst}", _one_a_python(shared)

    def _first_answer(self, question: str, targets: Sequence[Target], rule: Rule) -> tuple[str, _Pins, _Pins]:
        """Return the answers without a rule and with it, on the first target that has any."""
        for target in targets:
            before, after = (self._answer(question, target, rules) for rules in (NO_RULES, Rules.of([rule])))
            if before is not None or after is not None:
                return f"{question} on {target.name}", before, after
        return f"{question} on {targets[0].name}", None, None

    def _answer(self, question: str, target: Target, rules: Rules) -> _Pins:
        from wheelcheck.resolver.resolve import solve

        asked = replace(self._request(question, target).question(target), rules=rules)
        solution = solve(asked, self.index, Budget(thread_time))
        return {pin.name: str(pin.version) for pin in solution.pins} if solution else None

    # -- what nobody has looked at

    def uncovered(self, project: NormalizedName) -> Iterator[Uncovered]:
        """Return the final releases of a project that neither its rules nor an import run covers, if there are any."""
        rows, ran = self._rules.about(project), imported(project)
        since = max((source.date for rule in rows for source in rule.sources), default="")
        try:
            page = self.index.page(project)
        except UndeterminedError:
            return
        if page is None:
            return
        releases = [v for v in page.versions if not v.is_prerelease and _has_wheel(page, v)]
        spans: dict[bool, list[tuple[Version, ...]]] = {False: [], True: []}
        for (is_covered, is_new), span in groupby(
            releases, lambda v: (v in ran or any(rule.covers(v) for rule in rows), _uploaded(page, v) > since)
        ):
            if not is_covered:
                spans[is_new].append(tuple(span))
        if any(spans.values()):
            yield Uncovered(project=project, since=since, old=tuple(spans[False]), new=tuple(spans[True]))


def _has_wheel(page: ProjectPage, version: Version) -> bool:
    return any(isinstance(file, Wheel) and file.yanked is None for file in page.files_of(version).listed)


def _newest_of_each_series(versions: Iterable[Version]) -> Iterator[Version]:
    """Yield the newest of 2.6.x, of 2.5.x, and so on; of one series, all answers are likely to be alike."""
    return (next(series) for _, series in groupby(versions, lambda version: version.release[:2]))


def _one_a_python(targets: Iterable[Target]) -> list[Target]:
    first: dict[str, Target] = {}
    for target in targets:
        first.setdefault(target.python, target)
    return list(first.values())


def _uploaded(page: ProjectPage, version: Version) -> str:
    """Return the date of a version's first upload; empty where unknown."""
    times = [file.upload_time for file in page.files_of(version).listed if file.upload_time]
    return min(times)[:10] if times else ""


@cache
def _judge(target: Target) -> Judge:
    return Judge(target)


def _targets_of(rule: Rule) -> list[Target]:
    """The targets that a rule is about: usual ones, and those with a macOS version that it names."""
    stated = tuple(specifier.version.removesuffix(".*") for specifier in rule.macos or ())
    platforms = [f"macos-{version}-{machine}" for version in stated for machine in ("arm64", "x86_64")]
    return [target for target in _targets((*PLATFORMS, *platforms)) if rule.is_about(target)]


@cache
def _targets(platforms: tuple[str, ...]) -> tuple[Target, ...]:
    """The targets of some platforms, newest Pythons first; an x86_64 macOS also as Rosetta translates it."""
    found = []
    for python, platform in product(PYTHONS, platforms):
        try:
            target = read_target(f"{platform}-{python}")
        except UsageError:
            continue
        found.append(target)
        if platform.endswith("x86_64") and platform.startswith("macos"):
            found.append(replace(target, translated=True))
    return tuple(found)
