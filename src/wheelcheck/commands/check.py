"""The one entry of every door: a question put to every target, and everything that came of it in a `Report`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import thread_time, time
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from wheelcheck.advice.concerns import Concern, InstalledDiffers, NotTried, PredictedBreak
from wheelcheck.advice.find_concerns import across_targets
from wheelcheck.commands.retry import Again, concerns_in, metadata_of
from wheelcheck.common.errors import CannotTell, Interrupted, UsageError
from wheelcheck.common.records import Plain, field, plain, record, replace
from wheelcheck.index.cache.stamps import Stamp, holds, installations, is_settled, stamps_of, standing_on
from wheelcheck.inputs.options import Options, complete
from wheelcheck.inputs.request import Inquiry, cache_directory, question_of, target_named
from wheelcheck.resolver.compatibility import ForbiddenByRule, Verdict
from wheelcheck.resolver.compatibility import judge as judge_file
from wheelcheck.resolver.limits import Counted, Effort
from wheelcheck.resolver.model import AddedByRule, Demand, Missing, NoAnswer, Outcome, Pin, Question, Solution
from wheelcheck.rules.model import NO_RULES, Rule
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import read_file
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from wheelcheck.advice.changes import Remedy
    from wheelcheck.diagnosis.confirmation import Confirmation
    from wheelcheck.index.index import Counters, Index
    from wheelcheck.inputs.pip_config import Applied


@record
class Result:
    """What came of one target: pins, or a conflict, or an error that kept it from being told.

    Attributes:
        target: the interpreter that was asked about.
        pins: the chosen files, by name; empty where there is no answer.
        conflict: why there is no answer, or None.
        error: what kept the answer from being found out, or None.
        concerns: what is wrong with an answer that works.
        remedies: changes that were asked again and give a better answer, the first of their kinds first.
        has_all_remedies: whether there was time to ask all of them.
        sought_remedies: whether they were looked for.
        rules: every curated rule that had a part in the answer.
        confirmation: what a real import gave, or None where none was asked for.
        skipped: what was asked for and does not apply, because its marker does not hold for the target.
        strict: whether warnings count as failures.
        resolution: the work that it took to find the answer.
    """

    target: Target
    pins: tuple[Pin, ...] = ()
    conflict: NoAnswer | None = None
    error: CannotTell | None = None
    concerns: tuple[Concern, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    has_all_remedies: bool = True
    sought_remedies: bool = False
    rules: tuple[Rule, ...] = ()
    linkage: None = None
    confirmation: Confirmation | None = None
    skipped: tuple[Demand, ...] = ()
    strict: bool = False
    resolution: Counted | None = None

    @property
    def ok(self) -> bool:
        """Whether the answer is "compatible": nothing stands in the way, no import failed, and strictly no warning."""
        warned = self.strict and any(concern.level == "warning" for concern in self.concerns)
        failed = self.confirmation is not None and self.confirmation.ok is False
        return self.conflict is None and self.error is None and not failed and not warned

    def __bool__(self) -> bool:
        return self.ok

    def to_dict(self) -> dict[str, Plain]:
        """The form under `results` in a report."""
        return {
            "target": self.target.to_dict(),
            "ok": self.ok,
            "error": plain(self.error),
            "pins": plain(self.pins),
            "conflict": plain(self.conflict),
            "rules": [_brief(rule) for rule in self.rules],
            "concerns": plain(self.concerns),
            "remedies": plain(self.remedies),
            "has_all_remedies": self.has_all_remedies,
            "linkage": self.linkage,
            "confirmation": plain(self.confirmation),
            "skipped": plain(self.skipped),
            "resolution": plain(self.resolution),
        }


def _brief(rule: Rule) -> Plain:
    return {key: value for key, value in rule.to_dict().items() if key not in ("evidence", "confidence")}


@record
class Sourced:
    """An answer with where it comes from.

    Attributes:
        sources: the indexes and directories that were asked, without credentials.
        applied: what pip's configuration and environment contributed.
        counters: requests made, bytes received, and answers taken from the cache.
        oldest: when the oldest page that the answer stands on was received, in seconds since the epoch, or None.
        exclude_newer: the instant that ``--exclude-newer`` came to (RFC 3339, UTC), or None.
        notices: what the user should hear of besides the answer, a sentence each.
    """

    sources: tuple[str, ...] = ()
    applied: tuple[Applied, ...] = ()
    counters: Counters
    oldest: float | None = None
    exclude_newer: str | None = None
    notices: tuple[str, ...] = ()

    @property
    def origin(self) -> dict[str, Plain]:
        """The form under `index` in a document."""
        return {
            "requests": self.counters.requests,
            "bytes": self.counters.bytes,
            "cached": self.counters.cached,
            "oldest": self.oldest,
            "exclude_newer": self.exclude_newer,
            "sources": list(self.sources),
            "configuration": plain(self.applied),
        }


@record
class Report(Sourced):
    """The results for all targets of one question, in the order in which they were named.

    Attributes:
        results: one for each target.
        sources, applied, counters, oldest, exclude_newer, notices: where the answer comes from, as in `Sourced`.
        standing: what the answer stands on, so that it may be given again; None where that cannot be told.
        answered: how many pages and metadata were read for it.
    """

    results: tuple[Result, ...]
    standing: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    answered: int = field(default=0, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        """Whether every target has a compatible answer."""
        return all(result.ok for result in self.results)

    @property
    def exit_code(self) -> int:
        """0 compatible; 1 a definite "no" for some target; 2 none, but some target could not be told."""
        if any(not result.ok and result.error is None for result in self.results):
            return 1
        return 0 if self.ok else 2

    @property
    def is_lasting(self) -> bool:
        """Whether the answer may be given again while it stands: nothing failed, and nobody searched for near names.

        Nor was there too little time for it, since next time there may be enough.
        """
        told = all(
            not isinstance(result.conflict, Missing) and result.error is None and result.has_all_remedies
            for result in self.results
        )
        return told and self.standing is not None and holds(self.standing)

    @property
    def again(self) -> Report:
        """The report as it is when it is given again, without a request."""
        return replace(self, counters=self.counters._replace(requests=0, bytes=0, cached=self.answered))

    def __bool__(self) -> bool:
        return self.ok

    def to_dict(self) -> dict[str, Plain]:
        """The document ``wheelcheck/report/1``."""
        return {
            "schema": "wheelcheck/report/1",
            "ok": self.ok,
            "results": [result.to_dict() for result in self.results],
            "index": self.origin,
            "notices": list(self.notices),
        }


class _Memory:
    """The last reports of this process, each given again while all that it stands on is as it was."""

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._reports: dict[object, Report] = {}

    def recall(self, question: object) -> Report | None:
        """The report on a question, unless it no longer stands."""
        report = self._reports.get(question)
        if report is None or report.standing is None:
            return None
        if holds(report.standing):
            return report.again
        self._reports.pop(question, None)
        return None

    def keep(self, question: object, report: Report) -> None:
        """Keeps a report for as long as it stands, and forgets the oldest where there are too many."""
        if question is not None and report.is_lasting:
            self._reports[question] = report
            for oldest in list(self._reports)[: -self._most]:
                self._reports.pop(oldest, None)


_MEMORY = _Memory()


def check(
    requirements: Iterable[str] = (),
    *,
    targets: Iterable[str | Target] | None = None,
    **options: Unpack[Options],
) -> Report:
    """What would be installed for each target, what is wrong with it, and why.

    Args:
        requirements: requirement texts (PEP 508).
        targets: targets, or their texts; left out, the running interpreter.
        options: see `Options`.

    Raises:
        UsageError: the question is malformed. What cannot be found out is an `error` in the result of its target.
    """
    asked = tuple(requirements) if not isinstance(requirements, str) else requirements
    wanted = tuple(targets) if targets is not None and not isinstance(targets, str) else targets
    question = question_of(asked, wanted, complete(options))
    remembered = _MEMORY.recall(question)
    if remembered is not None:
        return remembered
    began = time()
    inquiry = Inquiry.read(asked, wanted, complete(options))
    stamps = _stamps(inquiry, began) if question is not None else None
    notices = list(inquiry.notices)
    with inquiry.opened_index(notices.append) as index, Again(inquiry, index) as again:
        results = answers(inquiry, index, again)
        for one in again.indexes:
            one.settle()  # which may find that the cache cannot be written, and say so
        report = Report(
            results=results,
            sources=index.sources,
            applied=inquiry.applied,
            counters=_together([one.counters for one in again.indexes]),
            oldest=min((one.oldest for one in again.indexes if one.oldest is not None), default=None),
            exclude_newer=inquiry.limit,
            notices=(
                *notices,
                *_idle_constraints(inquiry, results),
                *_absent_extras(results, index),
                *_unseen(inquiry, results),
            ),
            standing=_standing(stamps, again.indexes),
            answered=sum(one.answered for one in again.indexes),
        )
    _MEMORY.keep(question, report)
    return report


def _idle_constraints(inquiry: Inquiry, results: Sequence[Result]) -> Iterable[str]:
    """What to say of constraints on projects that nothing needs; nothing where some target has no answer."""
    if any(result.conflict is not None or result.error is not None for result in results):
        return ()
    return inquiry.idle({pin.name for result in results for pin in result.pins})


def _absent_extras(results: Sequence[Result], index: Index) -> Iterable[str]:
    """What to say of extras in the answers that the chosen versions do not have, once for all targets."""
    return dict.fromkeys(said for result in results for pin in result.pins for said in _extras_not_in(pin, index))


def _unseen(inquiry: Inquiry, results: Sequence[Result]) -> Iterator[str]:
    """What to say of chosen files that a lock has on hosts which no source names."""
    lock = inquiry.inputs.lock
    if lock is None:
        return
    for host, names in lock.elsewhere({pin.file for result in results for pin in result.pins}).items():
        many = f" and {len(names) - 1} more" if len(names) > 1 else ""
        has = f"{lock.file} has {min(names)}{many} on {host}, which no source lists"
        yield f"{has}: that host was not asked, and what is told is of the file of that name on a source."


def _extras_not_in(pin: Pin, index: Index) -> Iterator[str]:
    """What to say of the extras of one file, which was read before."""
    told = index.metadata(pin.file) if pin.extras else None
    if isinstance(told, Metadata):
        known = ", ".join(sorted(told.extras)) or "none"
        for extra in pin.extras:
            if extra not in told.extras:
                asked = f"{pin.name} {pin.version} has no extra {extra}"
                yield f"{asked}, so nothing comes of asking for that: it has {known}."


def _stamps(inquiry: Inquiry, began: float) -> Mapping[str, Stamp] | None:
    """The files that decided what is asked, read after a time; None where a change of them might not be noticed."""
    files = inquiry.files
    stamps = stamps_of(files) if files is not None else None
    return stamps if stamps is not None and all(is_settled(stamp, began) for stamp in stamps.values()) else None


def _standing(stamps: Mapping[str, Stamp] | None, indexes: Sequence[Index]) -> Mapping[str, Any] | None:
    """What the answers to an inquiry stand on; None where that cannot be held against what is there later."""
    if stamps is None:
        return None
    stood = [index.standing for index in indexes]
    places = {place: stamp for found, _ in stood for place, stamp in found.items()}
    return standing_on({**stamps_of(installations()), **places, **stamps}, min(until for _, until in stood))


def _together(counters: Sequence[Counters]) -> Counters:
    """What was asked of all indexes."""
    return type(counters[0])(*map(sum, zip(*counters, strict=True)))


def judge(filename: str, *, target: str | Target | None = None, no_rules: bool = False) -> Verdict:
    """The verdict on one file name for one target, without a network.

    Args:
        filename: the name of a wheel or source distribution; only the name counts.
        target: a target or its text; left out, the running interpreter.
        no_rules: judge by the name alone, without the curated rules.

    Raises:
        UsageError: the target is unknown.
    """
    from wheelcheck.rules.load import curated

    file = read_file(filename, url="")
    return judge_file(file, target_named(target, None), NO_RULES if no_rules else curated())


# -- answering


def answers(inquiry: Inquiry, index: Index, again: Again) -> tuple[Result, ...]:
    """What comes of a question for each of its targets."""
    questions = [inquiry.question(target) for target in inquiry.targets]
    _begin(questions, index)
    results = [_answer(inquiry, question, index, again) for question in questions]
    return tuple(results) if len(results) == 1 else tuple(_compared(results, index))


def _begin(questions: Iterable[Question], index: Index) -> None:
    """Has the first pages under way while the resolver is loaded."""
    names = tuple(dict.fromkeys(name for asked in questions for name in _first_asked(asked)))
    try:
        for name in names:
            index.start_page(name)
    except KeyboardInterrupt:
        raise Interrupted.resolving({}, 0, f"the page of {names[0]}") from None


def _first_asked(question: Question) -> Iterator[NormalizedName]:
    """The projects whose pages every answer begins with."""
    return (demand.name for demand in question.demands if not demand.requirement.url)


def _answer(inquiry: Inquiry, question: Question, index: Index, again: Again) -> Result:
    """What comes of the question for one target."""
    effort = Effort(thread_time)
    effort.awaited = next((f"the page of {name}" for name in _first_asked(question)), None)
    try:
        result = result_of(question, inquiry.resolved(question, index, effort), index)
    except CannotTell as error:
        result = Result(target=question.target, error=error)
    except KeyboardInterrupt:
        raise effort.interrupted() from None
    result = replace(result, resolution=effort.counted)
    if not inquiry.options["no_remedies"]:
        result = _with_remedies(result, question, inquiry, index, again)
    if inquiry.options["confirm"] and result.pins:
        result = _confirmed(result, inquiry.options, index)
    return replace(result, strict=inquiry.options["strict"], skipped=inquiry.skipped(question))


def result_of(question: Question, outcome: Outcome, index: Index) -> Result:
    """What comes of an outcome: with concerns and rules, or with where a missing project was looked for."""
    return _result(question, _with_sources(outcome, question, index), index)


def _result(question: Question, outcome: Outcome, index: Index) -> Result:
    if not isinstance(outcome, Solution):
        return Result(target=question.target, conflict=outcome, rules=tuple(_rules_in_conflict(outcome)))
    concerns = concerns_in(outcome, question, index)
    predicted = (concern.rule for concern in concerns if isinstance(concern, PredictedBreak))
    rules = tuple(dict.fromkeys((*_rules_in_answer(outcome), *predicted)))
    return Result(target=question.target, pins=outcome.pins, concerns=concerns, rules=rules)


def _with_remedies(result: Result, question: Question, inquiry: Inquiry, index: Index, again: Again) -> Result:
    """A result with the changes that would give a better one; a clean answer has none, and costs nothing for them.

    What is locked is not changed here: whoever made the lock asks again.
    """
    is_clean = result.conflict is None and not any(concern.level == "warning" for concern in result.concerns)
    if is_clean or inquiry.inputs.lock is not None:
        return result
    from wheelcheck.advice.remedies import Case, remedies

    case = Case(
        question=question,
        strategy=inquiry.options["index_strategy"],
        conflict=result.conflict,
        pins=result.pins,
        concerns=result.concerns,
        page=index.page,
        on=inquiry.question,
    )
    again.begin()
    try:
        found = remedies(case, again)
    except KeyboardInterrupt:
        raise Interrupted.seeking_remedies(question.target.name) from None
    return replace(result, remedies=found, has_all_remedies=not again.is_cut_short, sought_remedies=True)


def _compared(results: Sequence[Result], index: Index) -> Iterator[Result]:
    """The results with what comes to light only beside each other: the metadata of one version for several targets."""
    pins = [pin for result in results for pin in result.pins]
    told = metadata_of(pins, index)
    for result in results:
        yield replace(result, concerns=(*result.concerns, *across_targets(result.pins, pins, told)))


def _confirmed(result: Result, options: Options, index: Index) -> Result:
    try:
        confirmation = _confirm(result, options, index)
    except CannotTell as error:
        return replace(result, error=error)
    concerns = (*_import_concerns(confirmation), *_differences(result.pins, confirmation))
    return replace(result, confirmation=confirmation, concerns=(*result.concerns, *concerns))


def _confirm(result: Result, options: Options, index: Index) -> Confirmation:
    from wheelcheck.diagnosis.confirmation import OLDEST_PYTHON, Confirmation, PythonTooOld, not_tried_elsewhere
    from wheelcheck.interpreters.venv import fresh

    interpreter = result.target.interpreter
    if interpreter is None:
        return not_tried_elsewhere(result.target.name)
    if result.target.version.release[:2] < OLDEST_PYTHON:
        too_old = PythonTooOld(interpreter=interpreter, python=result.target.python)
        return Confirmation(interpreter=interpreter, not_tried=(too_old,))
    if not options["fresh"]:
        return _import(result.pins, options, interpreter)
    with _room(options) as directory:
        python = fresh(result.pins, interpreter=interpreter, download=index.download, cache_dir=directory)
        return _import(result.pins, options, str(python))


def _import(pins: Sequence[Pin], options: Options, interpreter: str) -> Confirmation:
    from wheelcheck.interpreters.probe import confirm_projects

    return confirm_projects(
        [pin.name for pin in pins if pin.requested],
        interpreter=interpreter,
        versions=[pin.name for pin in pins],
        timeout=options["timeout"],
        isolated=options["fresh"],
    )


@contextmanager
def _room(options: Options) -> Iterator[Path]:
    """Where new environments are kept: in the cache, or for this run only where there is none that can be written."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    kept = cache_directory(options)
    if kept is not None and _is_writable(kept):
        yield kept
        return
    with TemporaryDirectory(prefix="wheelcheck-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def _is_writable(directory: Path) -> bool:
    from os import W_OK, access

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return access(directory, W_OK)


def _with_sources(outcome: Outcome, question: Question, index: Index) -> Outcome:
    """A missing project with where it was looked for, known projects with a like name, and what else is missing."""
    if not isinstance(outcome, Missing):
        return outcome
    asked = {demand.name: demand for demand in question.demands if not demand.requirement.url}
    others = [demand for name, demand in asked.items() if name != outcome.project and _is_missing(name, index)]
    also = tuple(Missing(project=demand.name, near=_told_near(demand.name, index)) for demand in others)
    demands = tuple(dict.fromkeys((*outcome.demands, *others)))
    near = _told_near(outcome.project, index)
    return replace(outcome, indexes=index.origins, near=near, also=also, demands=demands)


def _is_missing(name: NormalizedName, index: Index) -> bool:
    try:
        return index.page(name) is None
    except CannotTell:
        return False


def _told_near(name: NormalizedName, index: Index) -> tuple[NormalizedName, ...]:
    recorded = index.recorded_near(name)
    return _near(name, index) if recorded is None else recorded


def _near(name: NormalizedName, index: Index) -> tuple[NormalizedName, ...]:
    from difflib import get_close_matches

    from wheelcheck.rules.load import curated

    known = {*curated().projects, *index.cached_names(), *_installed()} - {name}
    return tuple(map(canonicalize_name, get_close_matches(name, sorted(known), n=3, cutoff=0.75)))


def _installed() -> Iterable[NormalizedName]:
    """The projects that are installed here; none where that cannot be told, since they only serve a hint."""
    from wheelcheck.interpreters.find import installed

    try:
        return installed(None)
    except UsageError:
        return ()


# -- what rules and imports add to a result


def _rules_in_answer(solution: Solution) -> Iterator[Rule]:
    found: dict[Rule, None] = {}
    for held in solution.held_back:
        found |= dict.fromkeys(held.rules)
    for pin in solution.pins:
        found |= dict.fromkeys(d.origin.rule for d in pin.demands if isinstance(d.origin, AddedByRule))
    yield from found


def _rules_in_conflict(conflict: NoAnswer) -> Iterator[Rule]:
    found = dict.fromkeys(d.origin.rule for d in conflict.demands if isinstance(d.origin, AddedByRule))
    for file in conflict.files:
        found |= dict.fromkeys(reason.rule for reason in file.reasons if isinstance(reason, ForbiddenByRule))
    yield from found


def _import_concerns(confirmation: Confirmation) -> Iterator[Concern]:
    from wheelcheck.diagnosis.confirmation import NoModules

    for why in confirmation.not_tried:
        if not confirmation.tried or not isinstance(why, NoModules):
            yield NotTried(project=getattr(why, "project", None), why=why)


def _differences(pins: Iterable[Pin], confirmation: Confirmation) -> Iterator[Concern]:
    from wheelcheck.diagnosis.confirmation import NotInstalled

    found: Mapping[str, str | None] = confirmation.installed
    told = {why.project for why in confirmation.not_tried if isinstance(why, NotInstalled)}
    for pin in pins:
        if pin.name in told:
            continue
        if confirmation.tried and pin.name in found and not _is_version(found[pin.name], pin.version):
            yield InstalledDiffers(project=pin.name, version=pin.version, installed=found[pin.name])


def _is_version(text: str | None, version: Version) -> bool:
    try:
        return text is not None and Version(text) == version
    except InvalidVersion:
        return False
