"""Resolve requirements for each target: what would be installed, what is wrong with it, and what would fix it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import thread_time, time
from typing import TYPE_CHECKING, Any

from wheelcheck.advice.concerns import PredictedBreak, Translated
from wheelcheck.advice.find_concerns import about_target, across_targets
from wheelcheck.commands.report import Memory, Report, Result
from wheelcheck.commands.retry import Retry, concerns_in, metadata_of
from wheelcheck.common.errors import Interrupted, UndeterminedError
from wheelcheck.common.progress import ACTIVITY
from wheelcheck.common.records import replace
from wheelcheck.index.cache.stamps import Stamp, installations, is_settled, stamps_of, validity
from wheelcheck.inputs.options import Options, complete
from wheelcheck.inputs.request import Request, question_of, target_named
from wheelcheck.resolver.compatibility import ForbiddenByRule, Verdict
from wheelcheck.resolver.compatibility import judge as judge_file
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import AddedByRule, Missing, NoAnswer, Outcome, Pin, Question, Solution
from wheelcheck.rules.model import NO_RULES, Rule
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import read_file
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wheelcheck.index.index import Index

_MEMORY = Memory()


def check(
    requirements: Iterable[str] = (),
    *,
    targets: Iterable[str | Target] | None = None,
    **options: Unpack[Options],
) -> Report:
    """Resolve requirements for each target.

    Args:
        requirements: dependency specifiers (PEP 508), or paths and URLs as pip takes them.
        targets: targets or their texts; left out, the running interpreter.
        options: see `Options`.

    Raises:
        UsageError: the arguments are malformed. An answer that is unknown is an `error` in the result of its target.

    Example:
        >>> report = wheelcheck.check(["six"], targets=["windows-amd64-cp312"])  # doctest: +SKIP
        >>> report.ok  # doctest: +SKIP
        True
    """
    texts = tuple(requirements) if not isinstance(requirements, str) else requirements
    wanted = tuple(targets) if targets is not None and not isinstance(targets, str) else targets
    completed = complete(options)
    question = question_of(texts, wanted, completed)
    remembered = _MEMORY.recall(question)
    if remembered is not None:
        return remembered
    began = time()
    request = Request.read(texts, wanted, completed)
    stamps = _input_stamps(request, began) if question is not None else None
    notices = list(request.notices)
    with request.opened_index(notices.append) as index, Retry(request, index) as retry:
        ACTIVITY.beside = lambda: _traffic(retry)
        results = answers(request, retry)
        for one in retry.indexes:
            one.settle()  # which may find that the cache cannot be written, and say so
        report = Report(
            results=results,
            sources=index.sources,
            applied=request.applied,
            counters=type(index.counters)(*map(sum, zip(*(one.counters for one in retry.indexes), strict=True))),
            oldest=min((one.oldest for one in retry.indexes if one.oldest is not None), default=None),
            exclude_newer=request.limit,
            notices=(*notices, *_notices(request, results, index)),
            stamps=all_stamps(stamps, retry.indexes),
            answered=sum(one.answered for one in retry.indexes),
        )
    _MEMORY.keep(question, report)
    return report


def _traffic(retry: Retry) -> str:
    """Return what was received so far, for the status line."""
    requests = sum(one.counters.requests for one in retry.indexes)
    received = sum(one.counters.bytes for one in retry.indexes)
    return f"{requests} requests, {received / 1e6:.1f} MB" if requests else ""


def judge(filename: str, *, target: str | Target | None = None, no_rules: bool = False) -> Verdict:
    """Return the verdict on one file name for one target, without a network.

    Args:
        filename: the name of a wheel or source distribution; only the name counts.
        target: a target or its text; left out, the running interpreter.
        no_rules: judge by the name alone, without the curated rules.

    Raises:
        UsageError: the target is unknown.

    Example:
        >>> wheelcheck.judge("numpy-2.2.0-cp312-cp312-macosx_14_0_arm64.whl", target="macos-14-arm64-cp312").ok
        True
    """
    from wheelcheck.rules.load import curated

    file = read_file(filename, url="")
    return judge_file(file, target_named(target, None), NO_RULES if no_rules else curated())


def answers(request: Request, retry: Retry) -> tuple[Result, ...]:
    """Return the result for each target of a request."""
    questions = [request.question(target) for target in request.targets]
    _start_pages(questions, retry)
    results = [_answer(request, question, retry) for question in questions]
    if len(results) == 1:
        return tuple(results)
    # the metadata of one version may differ between the files of several targets
    pins = [pin for result in results for pin in result.pins]
    found = metadata_of(pins, retry.view)
    return tuple(
        replace(result, concerns=(*result.concerns, *across_targets(result.pins, pins, found))) for result in results
    )


def _start_pages(questions: Iterable[Question], retry: Retry) -> None:
    """Begin to fetch the pages that every answer starts from, while the resolver is loaded."""
    names = tuple(dict.fromkeys(name for question in questions for name in _requested(question)))
    try:
        for name in names:
            retry.view.start_page(name)
    except KeyboardInterrupt:
        raise Interrupted.resolving({}, 0, f"the page of {names[0]}") from None


def _requested(question: Question) -> Iterator[NormalizedName]:
    return (demand.name for demand in question.demands if not demand.requirement.url)


def _answer(request: Request, question: Question, retry: Retry) -> Result:
    """Return the result for one target: resolve, find concerns, seek remedies, confirm."""
    budget = Budget(thread_time)
    ACTIVITY.begin(f"resolving for {question.target.name}", lambda: _work(budget))
    budget.awaited = next((f"the page of {name}" for name in _requested(question)), None)
    try:
        result = result_of(question, request.resolved(question, retry.view, budget), retry)
    except UndeterminedError as error:
        result = Result(target=question.target, error=error)
    except KeyboardInterrupt:
        raise budget.interrupted() from None
    result = replace(result, resolution=budget.counted)
    if not request.options["no_remedies"]:
        result = with_remedies(result, question, request, retry)
    if request.options["confirm"] and result.pins:
        from wheelcheck.commands.confirm import confirmed

        result = confirmed(result, request.options, retry.index)
    return replace(result, strict=request.options["strict"], skipped=request.skipped(question))


def _work(budget: Budget) -> str:
    done = budget.counted
    return f"{done.candidates} versions tried, metadata of {done.metadata} read" if done.candidates else ""


def result_of(question: Question, outcome: Outcome, retry: Retry) -> Result:
    """Return the result that an outcome of the resolver comes to, with concerns and the rules that had a part in it."""
    if isinstance(outcome, Missing):
        outcome = _with_hints(outcome, question, retry)
    if not isinstance(outcome, Solution):
        about = tuple(about_target(question.target))
        rules = tuple(_rules_in_conflict(outcome))
        return Result(target=question.target, conflict=outcome, rules=rules, concerns=about)
    concerns = concerns_in(outcome, question, retry.view)
    predicted = (one.rule for one in concerns if isinstance(one, PredictedBreak | Translated) and one.rule is not None)
    rules = tuple(dict.fromkeys((*_rules_in_answer(outcome), *predicted)))
    return Result(target=question.target, pins=outcome.pins, concerns=concerns, rules=rules)


def with_remedies(result: Result, question: Question, request: Request, retry: Retry) -> Result:
    """Return a result with changes that would give a better one; for a clean answer none are sought.

    Locked files are not changed here: whoever made the lock has to make it anew.
    """
    is_clean = result.conflict is None and not any(concern.level == "warning" for concern in result.concerns)
    if is_clean or request.inputs.lock is not None:
        return result
    from wheelcheck.advice.remedies import Case, remedies

    case = Case(
        question=question,
        strategy=request.options["index_strategy"],
        conflict=result.conflict,
        pins=result.pins,
        concerns=result.concerns,
        page=retry.view.page,
        on=request.question,
    )
    retry.begin()
    ACTIVITY.begin(f"looking for fixes for {question.target.name}", lambda: f"{retry.tried} tried")
    try:
        found = remedies(case, retry)
    except KeyboardInterrupt:
        raise Interrupted.seeking_remedies(question.target.name) from None
    return replace(result, remedies=found, has_all_remedies=not retry.is_cut_short, sought_remedies=True)


# -- projects that no index has


def _with_hints(missing: Missing, question: Question, retry: Retry) -> Missing:
    """Return a missing project with the indexes that were asked, similar names, and whatever else is missing."""

    def is_missing(name: NormalizedName) -> bool:
        try:
            return retry.view.page(name) is None
        except UndeterminedError:
            return False

    requested = {demand.name: demand for demand in question.demands if not demand.requirement.url}
    others = [demand for name, demand in requested.items() if name != missing.project and is_missing(name)]
    also = tuple(Missing(project=demand.name, near=_similar_names(demand.name, retry.index)) for demand in others)
    return replace(
        missing,
        indexes=retry.index.origins,
        near=_similar_names(missing.project, retry.index),
        also=also,
        demands=tuple(dict.fromkeys((*missing.demands, *others))),
    )


def _similar_names(name: NormalizedName, index: Index) -> tuple[NormalizedName, ...]:
    """Return known projects with similar names: from the rules, the cache and what is installed here.

    The full list of an index is never fetched. A snapshot has those that were suggested when it was recorded.
    """
    recorded = index.recorded_near(name)
    if recorded is not None:
        return recorded
    from difflib import get_close_matches

    from wheelcheck.interpreters._distributions import distributions
    from wheelcheck.rules.load import curated

    found = (canonicalize_name(str(one["name"])) for one in distributions())  # type: ignore[no-untyped-call]
    known = {*(other for rule in curated() for other in rule.names), *index.cached_names(), *found}
    return tuple(map(canonicalize_name, get_close_matches(name, sorted(known - {name}), n=3, cutoff=0.75)))


# -- rules that had a part in an answer


def _rules_in_answer(solution: Solution) -> Iterator[Rule]:
    found: dict[Rule, None] = {}
    for held in solution.held_back:
        found |= dict.fromkeys(held.rules)
    for pin in solution.pins:
        # what metadata asks for, too, is in the answer without the rule
        added = [demand.origin.rule for demand in pin.demands if isinstance(demand.origin, AddedByRule)]
        found |= dict.fromkeys(added if len(added) == len(pin.demands) else ())
    yield from found


def _rules_in_conflict(conflict: NoAnswer) -> Iterator[Rule]:
    found = dict.fromkeys(d.origin.rule for d in conflict.demands if isinstance(d.origin, AddedByRule))
    for file in conflict.files:
        found |= dict.fromkeys(reason.rule for reason in file.reasons if isinstance(reason, ForbiddenByRule))
    yield from found


# -- notices


def _notices(request: Request, results: Sequence[Result], index: Index) -> Iterator[str]:
    """Yield what the user should hear of besides the answers, once for all targets."""
    if all(result.conflict is None and result.error is None for result in results):
        yield from request.unused_constraints({pin.name for result in results for pin in result.pins})
    yield from dict.fromkeys(text for result in results for pin in result.pins for text in _absent_extras(pin, index))
    lock = request.inputs.lock
    if lock is not None:
        for host, names in lock.elsewhere({pin.file for result in results for pin in result.pins}).items():
            many = f" and {len(names) - 1} more" if len(names) > 1 else ""
            has = f"{lock.file} has {min(names)}{many} on {host}, which no source lists"
            yield f"{has}: that host was not asked, and the answer is about the file of that name on a source."


MAX_EXTRAS = 20
"""Maximum number of extras that a notice names."""


def _absent_extras(pin: Pin, index: Index) -> Iterator[str]:
    """Yield a sentence for each requested extra that the chosen version does not have."""
    metadata = index.metadata(pin.file) if pin.extras else None
    if isinstance(metadata, Metadata):
        more = f" and {len(metadata.extras) - MAX_EXTRAS} more" if len(metadata.extras) > MAX_EXTRAS else ""
        known = f"{', '.join(sorted(metadata.extras)[:MAX_EXTRAS]) or 'none'}{more}"
        for extra in pin.extras:
            if extra not in metadata.extras:
                yield f"{pin.name} {pin.version} has no extra {extra}, so requesting it has no effect: it has {known}."


# -- stamps


def _input_stamps(request: Request, began: float) -> Mapping[str, Stamp] | None:
    """Return the state of the input files, or None where a change of them might go unnoticed."""
    files = request.files
    stamps = stamps_of(files) if files is not None else None
    return stamps if stamps is not None and all(is_settled(stamp, began) for stamp in stamps.values()) else None


def all_stamps(inputs: Mapping[str, Stamp] | None, indexes: Sequence[Index]) -> Mapping[str, Any] | None:
    """Return the state of everything that the answers depend on, with the time until which it may be taken as fresh."""
    if inputs is None:
        return None
    found = [index.stamps for index in indexes]
    places = {place: stamp for stamps, _ in found for place, stamp in stamps.items()}
    return validity({**stamps_of(installations()), **places, **inputs}, min(until for _, until in found))
