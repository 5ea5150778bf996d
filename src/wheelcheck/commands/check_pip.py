"""Judge what a pip command is about to do: the pre-install hook.

pip follows metadata alone. So its choice is resolved without the curated rules, as pip resolves it in the environment
that it installs into, and then judged by them: a pair that dies at import is a "no", although a better choice exists.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from time import thread_time
from typing import TYPE_CHECKING

from wheelcheck.advice.changes import AddRequirement, Remedy
from wheelcheck.advice.concerns import BreaksInstalled, Concern, MarkerUnknown
from wheelcheck.commands.check import all_stamps, result_of, with_remedies
from wheelcheck.commands.report import Report, Result
from wheelcheck.commands.retry import Retry
from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import field, record, replace
from wheelcheck.common.urls import path_of_url
from wheelcheck.index.cache.stamps import Stamp, is_settled, stamps_of
from wheelcheck.inputs.options import OF_THE_HOOK, Options, complete
from wheelcheck.inputs.pip_command import PipCommand, read_pip_command
from wheelcheck.inputs.pip_config import configuration_files, configuration_of, default_index_url, settings_of_pip
from wheelcheck.inputs.request import Request, cache_directory, rules_of
from wheelcheck.interpreters.pip_environment import (
    GUARDED,
    PipEnvironment,
    ask_pip,
    environment_of,
    interpreter_of,
    option_table,
    runner_of,
)
from wheelcheck.resolver.compatibility import ForbiddenByRule
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import (
    BY_A_VERSION,
    AddedByRule,
    Asked,
    Conflict,
    Constraint,
    Demand,
    Environment,
    NoAnswer,
    NoCompatibleFile,
    Outcome,
    Pin,
    Question,
    RefusedFile,
    Solution,
)
from wheelcheck.resolver.resolve import solve
from wheelcheck.rules.model import NO_RULES, Rule
from wheelcheck.standards.core_metadata import MetadataError, parse_metadata
from wheelcheck.standards.markers import UndecidableMarker, applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Wheel
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from packaging.version import Version
    from typing_extensions import Unpack

    from wheelcheck.advice.remedies import Answer

PIPS_CHOICE = Constraint(place="what pip would choose")
STANDARD_INPUTS = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


@record
class PipCheck:
    """What a pip command is about to do.

    Attributes:
        report: the verdict; without results where the command chooses no files.
        stdin: what was read from the standard input, which pip needs as well, or None.
        knows_python: whether this pip has the option ``--python`` (from 22.3 on).
    """

    report: Report
    stdin: bytes | None = field(default=None, repr=False)
    knows_python: bool = True


def check_pip(argv: Sequence[str], **options: Unpack[Options]) -> Report:
    """Judge what a pip command is about to do, for the interpreter that pip would install into. Nothing is installed.

    Args:
        argv: the arguments as pip receives them, such as ``["install", "six"]``.
        options: `offline`, `refresh`, `cache_dir`, `no_cache`, `rules`, `no_rules`, `ignore`, `no_remedies` and
            `strict`, as `wheelcheck.check` takes them; everything else is pip's to say.

    Returns:
        A report with one result, whose ``pins`` are what pip would install and whose ``satisfied`` is what stays; with
        none where the command chooses no files, such as ``pip list``.

    Raises:
        UsageError: pip would refuse the arguments, a file cannot be read, or there is no such interpreter.

    Example:
        >>> report = wheelcheck.check_pip(["install", "tensorflow==2.4.0"])  # doctest: +SKIP
        >>> report.ok  # doctest: +SKIP
        False
    """
    return examine(argv, complete(options)).report


def examine(argv: Sequence[str], options: Options, *, stdin: bytes | None = None) -> PipCheck:
    """Judge a pip command as `check_pip`, and return what else was found out about it.

    Args:
        argv: the arguments as pip receives them.
        options: those of wheelcheck, complete.
        stdin: what the standard input holds, where a requirements file is read from there.
    """
    _check_options(options)
    name, arguments, python, isolated = _split(argv)
    if name not in GUARDED:
        return PipCheck(report=_nothing())
    environment = environment_of(interpreter_of(python))
    runner = environment if environment.pip is not None else environment_of(runner_of(python))
    if runner.pip is None:
        raise UsageError(f"{environment.interpreter} has no pip: install it with python -m ensurepip.")
    table = option_table(runner, cache_directory(options))
    if name not in table:
        raise UsageError(f"pip {runner.pip.version} has no command {name}: upgrade pip.")
    settings = settings_of_pip(
        name, os.environ, prefix=environment.prefix, base_prefix=environment.base_prefix, isolated=isolated
    )
    knows_python = any("--python" in row["spellings"] for row in table[name])
    arguments = arguments if knows_python else without_python(arguments)
    command = read_pip_command(name, arguments, table[name], settings, configuration_of(settings))
    if command.asks_for_help:
        return PipCheck(report=_nothing())
    if command.configuration.index_url is None:
        index_url = default_index_url(runner.pip.location)
        command = replace(command, configuration=replace(command.configuration, index_url=index_url))
    target = _target(command, environment)
    request, stdin = _request(command, target, environment, options, stdin)
    return PipCheck(
        report=_report(request, command, environment, target),
        stdin=stdin,
        knows_python=knows_python,
    )


def without_python(arguments: Sequence[str]) -> list[str]:
    """Return arguments of pip without the option ``--python``, for a pip that does not know it."""
    kept: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*kept, word, *words]
        if word == "--python":
            next(words, None)
        elif not word.startswith("--python="):
            kept.append(word)
    return kept


def pip_of(argv: Sequence[str]) -> str:
    """Return the interpreter whose pip runs with these arguments. Raises UsageError."""
    return str(runner_of(_split(argv)[2]))


def _check_options(options: Options) -> None:
    usual = complete({})
    for name, value in options.items():
        if name not in OF_THE_HOOK and value != usual[name]:  # type: ignore[literal-required]
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"The option {name} is pip's to take here: give {flag} among the arguments of pip.")


def _nothing() -> Report:
    from wheelcheck.index.index import Counters

    return Report(results=(), counters=Counters(requests=0, bytes=0, cached=0))


def _split(argv: Sequence[str]) -> tuple[str, list[str], str | None, bool]:
    """Return the command, its arguments, and what ``--python`` and ``--isolated`` say, wherever they stand.

    Raises:
        UsageError: another option of pip stands before the command.
    """
    before: list[str] = []
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        before.append(word)
        if word == "--python" and rest:
            before.append(rest.pop(0))
        elif word.partition("=")[0] not in ("--python", "--isolated", "-q", "--quiet", "-v", "--verbose"):
            return word, [], None, False
    name, arguments = (rest[0], rest[1:]) if rest else ("", [])
    python = os.environ.get("PIP_PYTHON") or None
    words = [*before, *arguments]
    for place, word in enumerate(words):
        if word == "--":
            break
        if word == "--python" and place + 1 < len(words):
            python = words[place + 1]
        elif word.startswith("--python="):
            python = word.partition("=")[2]
    return name, [*before, *arguments], python, "--isolated" in words


def _target(command: PipCommand, environment: PipEnvironment) -> Target:
    """Return the target that pip chooses files for, with the markers of the machine, as pip evaluates them."""
    own = environment.target
    if not command.is_for_another_target:
        return own
    from wheelcheck.targets.parse import read_platform
    from wheelcheck.targets.platform import Other

    version = command.last("python-version")
    full = _full_version(version) if version else own.python
    digits = version.replace(".", "") if version and "." not in version else "".join((version or "").split(".")[:2])
    platforms, abis = command.every("platform"), command.every("abi")
    tags = ask_pip(
        environment, {"tags": [digits or None, [*platforms] or None, command.last("implementation"), [*abis] or None]}
    )["tags"]
    platform = own.platform
    if platforms:
        try:
            platform = read_platform(platforms[0])
        except UsageError:
            platform = Other(tag=platforms[0])
    return replace(
        own,
        platform=platform,
        python=full,
        abi=abis[0] if abis else f"cp{digits}" if digits and own.implementation == "cpython" else own.abi,
        accepted=tuple(map(str, tags)),
        stated=tuple(own.environment.items()),
        interpreter=None,
    )


def _full_version(text: str) -> str:
    """Return the version that pip takes ``--python-version`` for: ``311`` and ``3.11`` are 3.11.0."""
    parts = text.split(".") if "." in text else [text[:1], *([text[1:]] if len(text) > 1 else [])]
    if not all(part.isdigit() for part in parts):
        raise UsageError(f"pip's option --python-version is {text!r}: write it as 3.12, 312 or 3.12.4.")
    return ".".join([*parts, "0", "0"][:3])


def _request(
    command: PipCommand,
    target: Target,
    environment: PipEnvironment,
    options: Options,
    stdin: bytes | None,
) -> tuple[Request, bytes | None]:
    """Return the request that a command is, and what was read from the standard input."""
    from wheelcheck.inputs.read import read_inputs

    files = ["-" if path in STANDARD_INPUTS else path for path in command.every("requirement")]
    if "-" in files and stdin is None:
        import sys

        stdin = sys.stdin.buffer.read() if sys.stdin is not None else b""
    inputs = read_inputs(
        command.requirements,
        files,
        command.every("constraint"),
        BytesIO(stdin or b""),
        groups=command.every("group"),
        editables=command.every("editable"),
    )
    if not inputs.is_question:
        raise UsageError(f"Nothing to check: pip {command.name} names no requirement.")
    installed = {} if command.ignores_installed else environment.distributions
    asked: Options = {
        **options,
        "allow_sdists": True,
        "no_deps": command.has("no-deps"),
        "exclude_newer": _limit(command.last("uploaded-prior-to")),
    }
    request = Request(
        targets=(target,),
        inputs=inputs,
        configuration=command.configuration,
        rules=rules_of(options),
        options=asked,
        exclude_newer=Request.limit_of(asked),
        environment=Environment(distributions=installed, upgrade_strategy=command.upgrade_strategy),
    )
    return request, stdin


def _limit(text: str | None) -> str | None:
    """Return ``--uploaded-prior-to`` as `Options` has it: a time without an offset is local, as in pip."""
    if text is None or text.upper().startswith("P"):
        return text
    from datetime import datetime

    try:
        instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(f"pip's option --uploaded-prior-to is {text!r}: write a date such as 2026-01-31.") from None
    return instant.astimezone().isoformat(timespec="seconds")


# -- the answer


def _report(request: Request, command: PipCommand, environment: PipEnvironment, target: Target) -> Report:
    notices = [*request.notices, *environment.faults, *_notices(command, environment)]
    stamps = _stamps(request, command, environment)
    question = request.question(target)
    with request.opened_index(notices.append) as index, _PipRetry(request, index) as retry:
        result = _result(question, request, command, retry)
        for one in retry.indexes:
            one.settle()
        return Report(
            results=(replace(result, strict=request.options["strict"], skipped=request.skipped(question)),),
            sources=index.sources,
            applied=request.applied,
            counters=index.counters,
            oldest=index.oldest,
            exclude_newer=request.limit,
            notices=tuple(notices),
            stamps=all_stamps(stamps, retry.indexes),
            answered=index.answered,
        )


def _stamps(request: Request, command: PipCommand, environment: PipEnvironment) -> Mapping[str, Stamp] | None:
    """Return the state of everything on this machine that decides, or None where a change of it might go unnoticed."""
    asks = (*request.inputs.asks, *request.inputs.constraints)
    is_local = any(ask.requirement.url and path_of_url(ask.requirement.url) is not None for ask in asks)
    moves = (request.options["offline"], request.options["refresh"], request.options["rules"])
    if is_local or "-" in request.inputs.files or any(moves) or command.has("uploaded-prior-to"):
        return None
    files = configuration_files(os.environ, prefix=environment.prefix, base_prefix=environment.base_prefix)
    places = (*request.inputs.files, *files, *environment.places, str(environment.interpreter))
    stamps = stamps_of(dict.fromkeys(places))
    began = environment.began
    return stamps if all(is_settled(stamp, began) for stamp in stamps.values()) else None


def _notices(command: PipCommand, environment: PipEnvironment) -> Iterator[str]:
    if command.unknown:
        many = "are options" if len(command.unknown) > 1 else "is an option"
        names = ", ".join(command.unknown)
        yield f"{names} {many} of this pip that wheelcheck does not know; the answer leaves it out of account."
    elsewhere = ("dry-run", "root", "target", "prefix", "break-system-packages")
    if environment.is_externally_managed and command.name == "install" and not any(map(command.has, elsewhere)):
        yield f"{environment.interpreter} is externally managed, so pip will refuse: use a virtual environment."


class _PipRetry(Retry):
    """Answer changed questions as pip would, and only where no rule objects."""

    def __call__(self, question: Question, strategy: str | None) -> Answer | None:
        answer = super().__call__(question, strategy) if strategy is None else None  # pip mixes all indexes
        if answer is None:
            return None
        return None if _Judged.of(answer.pins, question).broken else answer

    def solve(self, question: Question, index: object, budget: Budget) -> Solution | None:
        """Return pip's choice, which knows no rules."""
        return solve(replace(question, rules=NO_RULES), index, budget)  # type: ignore[arg-type]


def _result(question: Question, request: Request, command: PipCommand, retry: Retry) -> Result:
    budget = Budget(thread_time)
    try:
        outcome = request.resolved(replace(question, rules=NO_RULES), retry.view, budget)
        outcome = _without_the_same(outcome, request, command)
        result = result_of(question, outcome, retry)
    except UndeterminedError as error:
        return Result(target=question.target, error=error)
    except KeyboardInterrupt:
        raise budget.interrupted() from None
    result = replace(result, resolution=budget.counted)
    fixes: tuple[Remedy, ...] = ()
    if isinstance(outcome, Solution):
        judged = _Judged.of(result.pins, question)
        satisfied = tuple(sorted(outcome.satisfied, key=lambda one: one.name))
        concerns = (
            *result.concerns,
            *judged.breaks(request.environment),
            *_by_other_markers(request, command, result, retry),
        )
        result = replace(result, satisfied=satisfied, concerns=concerns)
        if judged.broken:
            rules = tuple(dict.fromkeys((*result.rules, *(one.rule for one in judged.broken))))
            result = replace(result, conflict=judged.conflict, rules=rules)
            fixes = () if request.options["no_remedies"] else tuple(_additions(question, judged, retry))
    if not request.options["no_remedies"]:
        result = with_remedies(result, question, request, retry)
    return replace(result, remedies=(*fixes, *result.remedies))


def _without_the_same(outcome: Outcome, request: Request, command: PipCommand) -> Outcome:
    """Leave out what pip would not install although it chose it, as the last step of its resolver does."""
    if not isinstance(outcome, Solution):
        return outcome
    editable = {canonicalize_name(ask.requirement.name) for ask in request.inputs.asks if ask.editable}
    asked = {canonicalize_name(ask.requirement.name) for ask in request.inputs.asks}
    kept, same = [], []
    for pin in outcome.pins:
        there = request.environment.distributions.get(pin.name)
        if command.has("only-deps") and pin.name in asked:
            continue
        is_other = there is None or there.version != pin.version or pin.name in editable or there.editable
        is_local_source = not isinstance(pin.file, Wheel) and path_of_url(pin.file.url) is not None
        if is_other or is_local_source or there is None:
            kept.append(pin)
        else:
            same.append(there)
    return replace(outcome, pins=tuple(kept), satisfied=(*outcome.satisfied, *same))


def _by_other_markers(request: Request, command: PipCommand, result: Result, retry: Retry) -> Iterator[Concern]:
    """Yield where pip's choice for another target hangs on the markers of this machine, which pip evaluates."""
    if not command.is_for_another_target:
        return
    target = replace(result.target, stated=())
    try:
        other = solve(replace(request.question(target), rules=NO_RULES), retry.view)
    except (UndeterminedError, UsageError):
        return
    by_target = {pin.name: pin for pin in other.pins} if other is not None else {}
    by_host = {pin.name: pin for pin in result.pins}
    for name in sorted(by_target.keys() | by_host.keys()):
        one, another = by_host.get(name), by_target.get(name)
        known = one or another
        if known is not None and (one is None or another is None or one.version != another.version):
            yield MarkerUnknown(
                project=name,
                version=known.version,
                requirement=known.demands[0].requirement,
                by_host=one.version if one is not None else None,
                by_target=another.version if another is not None else None,
            )


# -- what the rules say of it


@record
class _Broken:
    """A rule that what pip would choose breaks: because of one project, and about another, or itself."""

    rule: Rule
    name: NormalizedName
    version: Version
    demand: Demand | None = None


@record(slots=False)
class _Judged:
    """What pip would choose, judged together with what stays installed.

    Attributes:
        pins: what pip would install.
        versions: every version that would be there afterwards.
    """

    question: Question
    pins: Mapping[NormalizedName, Pin]
    versions: Mapping[NormalizedName, Version]
    broken: tuple[_Broken, ...] = ()

    @classmethod
    def of(cls, pins: Iterable[Pin], question: Question) -> _Judged:
        chosen = {pin.name: pin for pin in pins}
        there = question.environment.distributions
        versions = {name: one.version for name, one in there.items()} | {n: pin.version for n, pin in chosen.items()}
        judged = cls(question=question, pins=chosen, versions=versions)
        return replace(judged, broken=tuple(judged._broken()))

    def _broken(self) -> Iterator[_Broken]:
        rules, target = self.question.rules, self.question.target
        for name in sorted(rules.projects & self.versions.keys()):
            version, is_new = self.versions[name], name in self.pins
            for rule in rules.forbidding(name, version, target) if is_new else ():
                yield _Broken(rule=rule, name=name, version=version)
            rows = rules.requiring(name, version, target, self.versions)
            lacks = is_new and not self.question.policy.no_deps
            yield from self._demanded(rows, name, version, lacks=lacks)
            yield from self._demanded(rules.constraining(name, version, target), name, version, lacks=False)

    def _demanded(
        self, rows: Iterable[tuple[Rule, object]], name: NormalizedName, version: Version, *, lacks: bool
    ) -> Iterator[_Broken]:
        """Yield the requirements of rules that are not met; one that nothing meets counts if it `lacks` then."""
        for rule, requirement in rows:
            asked = Demand(requirement=requirement, origin=AddedByRule(rule=rule, name=name, version=version))  # type: ignore[arg-type]
            there = self.versions.get(asked.name)
            is_new = name in self.pins or asked.name in self.pins
            met = not lacks if there is None else asked.requirement.specifier.contains(there, prereleases=True)
            if is_new and not met:
                yield _Broken(rule=rule, name=name, version=version, demand=asked)

    @property
    def conflict(self) -> NoAnswer:
        """Why what pip would choose does not work, by the first rule that it breaks."""
        first = min(self.broken, key=lambda one: not (one.name in self.pins and self.pins[one.name].requested))
        pin = self.pins.get(first.name)
        above = self._way_to(pin) if pin is not None else ()
        if first.demand is None:
            assert pin is not None
            reasons = (ForbiddenByRule(rule=first.rule),)
            file = RefusedFile(filename=pin.file.filename, version=pin.version, reasons=reasons)
            return NoCompatibleFile(project=first.name, demands=(*above, _chosen(pin)), files=(file,))
        other = self.pins.get(first.demand.name)
        there = (_chosen(other),) if other is not None else ()
        return Conflict(project=first.demand.name, demands=(*above, first.demand, *there))

    def _way_to(self, pin: Pin) -> tuple[Demand, ...]:
        """Return the demands that lead to a pin from what the user requested."""
        way: list[Demand] = []
        seen: set[NormalizedName] = set()
        while pin.name not in seen:
            seen.add(pin.name)
            demand = min(pin.demands, key=lambda one: not isinstance(one.origin, Asked))
            way.append(demand)
            above = self.pins.get(demand.origin.name) if isinstance(demand.origin, BY_A_VERSION) else None
            if above is None:
                break
            pin = above
        return tuple(reversed(way))

    def breaks(self, environment: Environment) -> Iterator[Concern]:
        """Yield what stays installed and requires another version of what pip would install."""
        for name, one in sorted(environment.distributions.items()):
            if name in self.pins or not any(
                pin.name.encode() in one.head.lower().replace(b"_", b"-") for pin in self.pins.values()
            ):
                continue
            try:
                needed = [r for r in parse_metadata(one.head).requires_dist if applies(r, self.question.target, None)]
            except (MetadataError, UndecidableMarker):
                continue
            for requirement in needed:
                pin = self.pins.get(canonicalize_name(requirement.name))
                before = environment.distributions.get(canonicalize_name(requirement.name))
                if pin is None or requirement.url or requirement.specifier.contains(pin.version, prereleases=True):
                    continue
                if before is None or requirement.specifier.contains(before.version, prereleases=True):
                    yield BreaksInstalled(
                        project=pin.name,
                        version=pin.version,
                        installed=name,
                        installed_version=one.version,
                        requirement=requirement,
                    )


def _chosen(pin: Pin) -> Demand:
    return Demand(requirement=requirement_of(f"{pin.name}=={pin.version}"), origin=PIPS_CHOICE)


def _additions(question: Question, judged: _Judged, retry: Retry) -> Iterator[Remedy]:
    """Yield the requirements to add, so that pip chooses what the rules admit."""
    by_rules = [one.demand.requirement for one in judged.broken if one.demand is not None]
    attempts = [tuple(dict.fromkeys(map(str, by_rules)))] if by_rules else []
    extra = tuple(Demand(requirement=one, origin=PIPS_CHOICE) for one in by_rules)
    try:
        better = solve(replace(question, constraints=(*question.constraints, *extra)), retry.view)
    except UndeterminedError:
        better = None
    about = {one.name for one in judged.broken} | {one.demand.name for one in judged.broken if one.demand is not None}
    if better is not None:
        pinned = [f"{pin.name}=={pin.version}" for pin in better.pins if pin.name in about]
        attempts.append(tuple(text for text in pinned if not _is_chosen(text, judged)))
    for texts in filter(None, attempts):
        added = tuple(Demand(requirement=requirement_of(text), origin=Asked(place="the fix")) for text in texts)
        answer = retry(replace(question, demands=(*question.demands, *added)), None)
        if answer is not None:
            yield Remedy(change=AddRequirement(requirements=texts), pins=answer.pins)
            return


def _is_chosen(text: str, judged: _Judged) -> bool:
    name, _, version = text.partition("==")
    return str(judged.versions.get(canonicalize_name(name))) == version
