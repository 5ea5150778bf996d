"""The one entry of every door: what is asked, put to every target, and everything that came of it in a `Report`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, TypedDict

from packaging.utils import NormalizedName, canonicalize_name

from wheelcheck.concerns import Concern, InstalledDiffers, NotTried, concerns_of
from wheelcheck.distributions import read_file
from wheelcheck.failures import CannotTell, UsageError
from wheelcheck.outcomes import AddedByRule, Asked, Constraint, Demand, Missing, NoAnswer, Outcome, Pin, Solution
from wheelcheck.resolver import Policy, Question, applies, resolve
from wheelcheck.rules import NO_RULES, Rule, Rules
from wheelcheck.targets import Target
from wheelcheck.values import Plain, plain
from wheelcheck.verdicts import ForbiddenByRule, Verdict
from wheelcheck.verdicts import judge as judge_file

if TYPE_CHECKING:
    from pathlib import Path

    from wheelcheck.configuration import Applied, Configuration
    from wheelcheck.confirmation import Confirmation
    from wheelcheck.index import Counters, Index, Source
    from wheelcheck.inputs import Ask, FileOptions, Inputs

RESOLUTIONS = ("highest", "lowest", "lowest-direct")


class Options(TypedDict, total=False):
    """The command line's options as keywords; each has the default that it has there.

    Attributes:
        requirement: requirements files (``-r``).
        constraint: constraints files (``-c``).
        python: a version or a path of the Python that targets leave open.
        index_url, extra_index_url, find_links, no_index: as pip's; an index named here replaces what is configured.
        isolated: ignore pip's configuration and environment.
        offline: answer from the cache only.
        refresh: ask the index again even where the cache is fresh.
        pre: take pre-releases everywhere.
        no_deps: leave the requirements of files aside.
        resolution: ``highest``, ``lowest`` or ``lowest-direct``.
        rules: a file or directory of rules of your own; by id they replace curated ones.
        no_rules: judge by metadata alone.
        ignore: ids of rules to leave out.
        strict: warnings make an answer not ok.
        confirm: import what was asked for in the target's interpreter.
        fresh: with `confirm`, in a new environment that holds exactly the pins.
        timeout: seconds that an import may take.
        cache_dir, no_cache: where answers of indexes are kept, or that they are not.
    """

    requirement: Sequence[str]
    constraint: Sequence[str]
    python: str | None
    index_url: str | None
    extra_index_url: Sequence[str]
    find_links: Sequence[str]
    no_index: bool
    isolated: bool
    offline: bool
    refresh: bool
    pre: bool
    no_deps: bool
    resolution: str
    rules: str | None
    no_rules: bool
    ignore: Sequence[str]
    strict: bool
    confirm: bool
    fresh: bool
    timeout: float
    cache_dir: str | None
    no_cache: bool


DEFAULTS: Options = {
    "requirement": (),
    "constraint": (),
    "python": None,
    "index_url": None,
    "extra_index_url": (),
    "find_links": (),
    "no_index": False,
    "isolated": False,
    "offline": False,
    "refresh": False,
    "pre": False,
    "no_deps": False,
    "resolution": "highest",
    "rules": None,
    "no_rules": False,
    "ignore": (),
    "strict": False,
    "confirm": False,
    "fresh": False,
    "timeout": 600.0,
    "cache_dir": None,
    "no_cache": False,
}

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one target: pins, or a conflict, or an error that kept it from being told.

    Attributes:
        target: the interpreter that was asked about.
        pins: the chosen files, by name; empty where there is no answer.
        conflict: why there is no answer, or None.
        error: what kept the answer from being found out, or None.
        concerns: what is wrong with an answer that works.
        rules: every curated rule that had a part in the answer.
        confirmation: what a real import gave, or None where none was asked for.
        skipped: what was asked for and does not apply, because its marker does not hold for the target.
        strict: whether warnings count as failures.
    """

    target: Target
    pins: tuple[Pin, ...] = ()
    conflict: NoAnswer | None = None
    error: CannotTell | None = None
    concerns: tuple[Concern, ...] = ()
    remedies: tuple[Plain, ...] = ()
    rules: tuple[Rule, ...] = ()
    linkage: None = None
    confirmation: Confirmation | None = None
    skipped: tuple[Demand, ...] = ()
    strict: bool = False

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
            "remedies": list(self.remedies),
            "linkage": self.linkage,
            "confirmation": plain(self.confirmation),
            "skipped": plain(self.skipped),
        }


def _brief(rule: Rule) -> Plain:
    return {key: value for key, value in rule.to_dict().items() if key not in ("evidence", "confidence")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results for all targets of one question, in the order in which they were named.

    Attributes:
        results: one for each target.
        sources: the indexes and directories that were asked, without credentials.
        applied: what pip's configuration and environment contributed.
        counters: requests made, bytes received, and answers taken from the cache.
        notices: what the user should hear of besides the answer, a sentence each.
    """

    results: tuple[Result, ...]
    sources: tuple[str, ...] = ()
    applied: tuple[Applied, ...] = ()
    counters: Counters
    notices: tuple[str, ...] = ()

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

    def __bool__(self) -> bool:
        return self.ok

    def to_dict(self) -> dict[str, Plain]:
        """The document ``wheelcheck/report/1``."""
        return {
            "schema": "wheelcheck/report/1",
            "ok": self.ok,
            "results": [result.to_dict() for result in self.results],
            "index": {
                "requests": self.counters.requests,
                "bytes": self.counters.bytes,
                "cached": self.counters.cached,
                "sources": list(self.sources),
                "configuration": plain(self.applied),
            },
            "notices": list(self.notices),
        }


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
    asked = _complete(options)
    question = _Question.read(requirements, targets, asked)
    with question.opened_index() as (index, notices):
        results = tuple(question.answer(target, index) for target in question.targets)
        return Report(
            results=results,
            sources=index.sources,
            applied=question.configuration.applied,
            counters=index.counters,
            notices=tuple(notices),
        )


def judge(filename: str, *, target: str | Target | None = None, no_rules: bool = False) -> Verdict:
    """The verdict on one file name for one target, without a network.

    Args:
        filename: the name of a wheel or source distribution; only the name counts.
        target: a target or its text; left out, the running interpreter.
        no_rules: judge by the name alone, without the curated rules.

    Raises:
        UsageError: the target is unknown.
    """
    from wheelcheck.rulebook import curated

    file = read_file(filename, url="")
    return judge_file(file, _target(target, None), NO_RULES if no_rules else curated())


# -- reading the question


def _complete(options: Options) -> Options:
    unknown = options.keys() - DEFAULTS.keys()
    if unknown:
        raise TypeError(f"unknown option {min(unknown)!r}")
    for name, value in options.items():
        if isinstance(value, str) and isinstance(DEFAULTS.get(name), tuple):
            raise UsageError(f"The option {name} takes a list, such as [{value!r}], not a text.")
    asked: Options = {**DEFAULTS, **options}
    if not 0 < asked["timeout"] < inf:
        raise UsageError(f"The time-out is {asked['timeout']}; give a number of seconds above 0.")
    if asked["resolution"] not in RESOLUTIONS:
        raise UsageError(f"The resolution {asked['resolution']!r} is not one of {', '.join(RESOLUTIONS)}.")
    if asked["fresh"] and not asked["confirm"]:
        raise UsageError("--fresh says where to import, so it goes with --confirm.")
    return asked


def _target(target: str | Target | None, python: str | None) -> Target:
    from wheelcheck.interpreters import target_of

    return target if isinstance(target, Target) else target_of(target, python)


@dataclass(frozen=True, kw_only=True)
class _Question:
    """Everything that was asked, read and checked before the first request."""

    targets: tuple[Target, ...]
    inputs: Inputs
    configuration: Configuration
    rules: Rules
    options: Options

    @classmethod
    def read(cls, requirements: Iterable[str], targets: Iterable[str | Target] | None, options: Options) -> _Question:
        from wheelcheck.configuration import read_configuration
        from wheelcheck.inputs import read_inputs

        configuration = read_configuration(isolated=options["isolated"])
        constraints = (*options["constraint"], *configuration.constraints)
        inputs = read_inputs(_texts(requirements), options["requirement"], constraints)
        if not inputs.asks:
            raise UsageError("Nothing is asked: name a requirement, or a requirements file with -r.")
        return cls(
            targets=tuple(dict.fromkeys(_target(target, options["python"]) for target in _chosen(targets))),
            inputs=inputs,
            configuration=configuration,
            rules=_rules(options),
            options=options,
        )

    def question(self, target: Target) -> Question:
        """What is asked for one target: requirements whose markers do not hold there fall away."""
        options, asks = self.options, [ask for ask in self.inputs.asks if _holds(ask, target)]
        bounds = [ask for ask in self.inputs.constraints if _holds(ask, target)]
        _check_direct_references([*asks, *bounds])
        pre = options["pre"] or self.configuration.pre or self.inputs.options.pre
        return Question(
            target=target,
            demands=tuple(map(_asked, asks)),
            constraints=tuple(_demand(ask, Constraint(place=str(ask.place))) for ask in bounds),
            rules=self.rules,
            policy=Policy(pre=pre, no_deps=options["no_deps"], resolution=options["resolution"]),
        )

    @contextmanager
    def opened_index(self) -> Iterator[tuple[Index, list[str]]]:
        """The index that answers, and the list to which it adds what the user should hear of."""
        from wheelcheck.cache import Cache
        from wheelcheck.index import Index
        from wheelcheck.transport import TransportOptions

        notices: list[str] = []
        configuration, files = self.configuration, self.inputs.options
        transport = TransportOptions(
            timeout=configuration.timeout,
            retries=configuration.retries,
            trusted_hosts=(*configuration.trusted_hosts, *files.trusted_hosts),
            cert=configuration.cert,
            client_cert=configuration.client_cert,
            proxy=configuration.proxy,
        )
        with Index(
            sources_of(self.options, configuration, files),
            cache=Cache(_cache_directory(self.options), notices.append),
            transport_options=transport,
            offline=self.options["offline"],
            refresh=self.options["refresh"],
        ) as index:
            yield index, notices

    # answering

    def answer(self, target: Target, index: Index) -> Result:
        """What comes of the question for one target."""
        question = self.question(target)
        try:
            result = self._result(question, _with_sources(resolve(question, index), index), index)
        except CannotTell as error:
            result = Result(target=target, error=error)
        skipped = tuple(_asked(ask) for ask in self.inputs.asks if not _holds(ask, target))
        return replace(result, strict=self.options["strict"], skipped=skipped)

    def _result(self, question: Question, outcome: Outcome, index: Index) -> Result:
        if not isinstance(outcome, Solution):
            return Result(target=question.target, conflict=outcome, rules=tuple(_rules_in_conflict(outcome)))
        concerns = concerns_of(outcome, pre=question.policy.pre)
        result = Result(
            target=question.target, pins=outcome.pins, concerns=concerns, rules=tuple(_rules_in_answer(outcome))
        )
        return self._confirmed(result, index) if self.options["confirm"] else result

    def _confirmed(self, result: Result, index: Index) -> Result:
        confirmation = self._confirm(result, index)
        concerns = (*_import_concerns(confirmation), *_differences(result.pins, confirmation))
        return replace(result, confirmation=confirmation, concerns=(*result.concerns, *concerns))

    def _confirm(self, result: Result, index: Index) -> Confirmation:
        from wheelcheck.confirmation import not_tried_elsewhere
        from wheelcheck.environments import fresh

        interpreter = result.target.interpreter
        if interpreter is None:
            return not_tried_elsewhere(result.target.name)
        if not self.options["fresh"]:
            return self._import(result.pins, interpreter)
        with _room(self.options) as directory:
            python = fresh(result.pins, interpreter=interpreter, download=index.download, cache_dir=directory)
            return self._import(result.pins, str(python))

    def _import(self, pins: Sequence[Pin], interpreter: str) -> Confirmation:
        from wheelcheck.confirmation import confirm_projects

        return confirm_projects(
            [pin.name for pin in pins if pin.requested],
            interpreter=interpreter,
            versions=[pin.name for pin in pins],
            timeout=self.options["timeout"],
            isolated=self.options["fresh"],
        )


def _texts(requirements: Iterable[str]) -> tuple[str, ...]:
    if isinstance(requirements, str):
        raise UsageError(f"Give a list of requirements, such as [{requirements!r}], not a text.")
    return tuple(requirements)


def _chosen(targets: Iterable[str | Target] | None) -> tuple[str | Target | None, ...]:
    if isinstance(targets, str):
        raise UsageError(f"Give a list of targets, such as [{targets!r}], not a text.")
    chosen = (None,) if targets is None else tuple(targets)
    if not chosen:
        raise UsageError("No target is named; leave the targets out to ask about the running interpreter.")
    return chosen


def _rules(options: Options) -> Rules:
    from wheelcheck.rulebook import rules_in_force

    return NO_RULES if options["no_rules"] else rules_in_force(options["rules"]).without(options["ignore"])


def _holds(ask: Ask, target: Target) -> bool:
    from packaging.markers import UndefinedComparison

    try:
        return applies(ask.requirement, target)
    except UndefinedComparison as error:
        raise UsageError(f"The marker of {ask.requirement} ({ask.place}) cannot be evaluated: {error}") from None


def _check_direct_references(asks: Iterable[Ask]) -> None:
    """Refuses two different files for one project, of which no answer could take both."""
    given: dict[NormalizedName, Ask] = {}
    for ask in asks:
        if ask.requirement.url:
            first = given.setdefault(canonicalize_name(ask.requirement.name), ask)
            if first.requirement.url != ask.requirement.url:
                raise UsageError(
                    f"Two files are asked for {ask.requirement.name}, in {first.place} and in {ask.place}. "
                    "Leave one of them out."
                )


def _asked(ask: Ask) -> Demand:
    return _demand(ask, Asked(place=str(ask.place)))


def _demand(ask: Ask, origin: Asked | Constraint) -> Demand:
    return Demand(requirement=ask.requirement, origin=origin, hashes=ask.hashes)


# -- where to ask


def sources_of(options: Options, configuration: Configuration, files: FileOptions) -> tuple[Source, ...]:
    """The sources in the order in which they count: directories of links, the index, further indexes.

    What a requirements file names replaces what the caller names, which replaces what is configured.
    """
    from wheelcheck.index import FindLinks, SimpleIndex

    links = (*files.find_links, *(options["find_links"] or configuration.find_links))
    found: tuple[Source, ...] = tuple(FindLinks(location) for location in links)
    if options["no_index"] or files.no_index or (configuration.no_index and not options["index_url"]):
        return found
    return (*found, *(SimpleIndex(url) for url in _index_urls(options, configuration, files)))


def _index_urls(options: Options, configuration: Configuration, files: FileOptions) -> tuple[str, ...]:
    from wheelcheck.configuration import default_index_url

    extra = (*options["extra_index_url"], *files.extra_index_urls)
    named = files.index_url or options["index_url"]
    if named:
        return named, *extra
    first = configuration.index_url or default_index_url()
    return first, *configuration.extra_index_urls, *extra


def _cache_directory(options: Options) -> Path | None:
    from os import environ
    from pathlib import Path

    if options["no_cache"]:
        return None
    named = options["cache_dir"] or environ.get("WHEELCHECK_CACHE_DIR")
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("wheelcheck", appauthor=False)


@contextmanager
def _room(options: Options) -> Iterator[Path]:
    """Where new environments are kept: in the cache, or for this run only where there is none."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    kept = _cache_directory(options)
    if kept is not None:
        yield kept
        return
    with TemporaryDirectory(prefix="wheelcheck-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def _with_sources(outcome: Outcome, index: Index) -> Outcome:
    """A missing project with where it was looked for, and known projects with a like name."""
    if not isinstance(outcome, Missing):
        return outcome
    return replace(outcome, indexes=index.sources, near=_near(outcome.project, index))


def _near(name: NormalizedName, index: Index) -> tuple[NormalizedName, ...]:
    from difflib import get_close_matches

    from wheelcheck.interpreters import installed
    from wheelcheck.rulebook import curated

    known = {*curated().projects, *index.cached_names(), *installed(None)} - {name}
    return tuple(map(canonicalize_name, get_close_matches(name, sorted(known), n=3, cutoff=0.75)))


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
    from wheelcheck.confirmation import NoModules

    for why in confirmation.not_tried:
        if not isinstance(why, NoModules):
            yield NotTried(project=getattr(why, "project", None), why=why)


def _differences(pins: Iterable[Pin], confirmation: Confirmation) -> Iterator[Concern]:
    found: Mapping[str, str | None] = confirmation.installed
    for pin in pins:
        if pin.name in found and found[pin.name] != str(pin.version) and confirmation.tried:
            yield InstalledDiffers(project=pin.name, version=pin.version, installed=found[pin.name])
