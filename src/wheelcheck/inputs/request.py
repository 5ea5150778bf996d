"""A request: requirements, targets, options, configuration and rules, read and checked before any network access."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import environ, path
from typing import TYPE_CHECKING

from wheelcheck._version import __version__
from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import field, record
from wheelcheck.common.urls import mask
from wheelcheck.index.cache.stamps import environment_state
from wheelcheck.inputs.options import Options
from wheelcheck.resolver.compatibility import Judge
from wheelcheck.resolver.model import Asked, Constraint, Demand, Environment, NotForTarget, Outcome, Policy, Question
from wheelcheck.rules.model import NO_RULES, Rules
from wheelcheck.standards.markers import UndecidableMarker, applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import hash_pairs
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from packaging.requirements import Requirement

    from wheelcheck.index.index import Index, Source
    from wheelcheck.inputs.pip_config import Applied, Configuration
    from wheelcheck.inputs.read import Inputs, UserRequirement
    from wheelcheck.inputs.requirements_txt import FileOptions
    from wheelcheck.resolver.limits import Budget
    from wheelcheck.resolver.model import PackageIndex

MAX_NAMED = 3
"""Maximum number of constraints that a sentence names; files often constrain far more than is needed."""


def question_of(
    requirements: object, targets: Sequence[str | Target] | str | None, options: Options
) -> tuple[object, ...] | None:
    """Return a key that identifies a question within this process; None where its answer must not be reused."""
    texts = [*(targets or ()), options["python"] or ""]
    named = all(isinstance(text, Target) or not _is_of_this_machine(text) for text in texts)
    if not isinstance(requirements, tuple) or isinstance(targets, str) or not named:
        return None
    values = tuple(tuple(value) if isinstance(value, list) else value for value in options.values())
    names = repr(targets)  # equal targets may differ in what the report tells of them
    try:
        question = requirements, names, tuple(options), values, str(environment_state())
        hash(question)
    except (OSError, TypeError):
        return None
    return question


def _is_of_this_machine(text: str) -> bool:
    """Return whether a text may name a file or an interpreter, which may change unnoticed."""
    word = text.strip().lower()
    named = word.endswith(".json") or word.startswith(("~", "python", "pypy", "graalpy"))
    return named or "/" in text or "\\" in text or path.exists(text)  # noqa: PTH110


def target_named(target: str | Target | None, python: str | None) -> Target:
    """Return the target of a text, or the running interpreter."""
    if isinstance(target, Target):
        return target
    spelled = _spelled(target) if target and not python else None
    if spelled is not None:
        return spelled
    from wheelcheck.interpreters.find import target_of

    return target_of(target, python)


def _target(target: str | Target | None, options: Options) -> Target:
    """Return a target; to confirm with a version in ``--python``, an interpreter of that version on this machine."""
    named = target_named(target, options["python"])
    if not (options["confirm"] and target is None and options["python"] and named.interpreter is None):
        return named
    from wheelcheck.interpreters.installed import installed_python
    from wheelcheck.targets.target import python_of

    return installed_python(python_of(named)) or named


def _spelled(text: str) -> Target | None:
    """Return the target of a text that is complete, so that no interpreter has to be run."""
    from wheelcheck.targets.target import read_target

    try:
        return read_target(text)
    except UsageError:
        return None


@record(slots=False)
class Request:
    """Everything that was asked, read and checked before the first network access."""

    targets: tuple[Target, ...]
    inputs: Inputs
    configuration: Configuration
    rules: Rules
    options: Options
    exclude_newer: datetime | None = None
    environment: Environment = field(default_factory=Environment)

    @staticmethod
    def limit_of(options: Options) -> datetime | None:
        """Return the instant of ``--exclude-newer``; only here is the clock read. Raises UsageError."""
        text = options["exclude_newer"]
        if text is None:
            return None
        from datetime import datetime, timezone

        from wheelcheck.common.dates import limit_of

        return limit_of(text, datetime.now(timezone.utc).replace(microsecond=0))

    @classmethod
    def read(cls, requirements: Iterable[str], targets: Iterable[str | Target] | None, options: Options) -> Request:
        """Read arguments, files, environment and pip's configuration. Raises `UsageError`."""
        from wheelcheck.inputs.pip_config import read_configuration
        from wheelcheck.inputs.read import read_inputs

        configuration = read_configuration(isolated=options["isolated"])
        constraints = (*options["constraint"], *configuration.constraints)
        inputs = read_inputs(
            _texts(requirements),
            options["requirement"],
            constraints,
            groups=options["group"],
            extras=options["extra"],
            all_extras=options["all_extras"],
        )
        if not inputs.is_question:
            empty = " and ".join(options["requirement"])
            lacking = f"{empty} names no requirement" if empty else "name a requirement, or a requirements file with -r"
            raise UsageError(f"Nothing to check: {lacking}.")
        return cls(
            targets=tuple(_target(target, options) for target in _expanded(_chosen(targets))),
            inputs=inputs,
            configuration=configuration,
            rules=rules_of(options),
            options=options,
            exclude_newer=cls.limit_of(options),
        )

    def question(self, target: Target) -> Question:
        """Return the question for one target, without the requirements whose markers do not hold there."""
        refused = next(self._exclusions(target), None)
        locked = self._locked(target) if refused is None else []
        asks = [ask for ask in (*self.inputs.asks, *locked) if _holds(ask, target)]
        bounds = [ask for ask in self.inputs.constraints if _holds(ask, target)]
        _check_direct_references([*asks, *bounds])
        return Question(
            target=target,
            demands=tuple(map(_asked, asks)),
            constraints=tuple(_demand(ask, Constraint(place=str(ask.place))) for ask in bounds),
            rules=self.rules,
            policy=self._policy,
            environment=self.environment if target in self.targets else Environment(),
            refused=refused,
        )

    def resolved(self, question: Question, index: PackageIndex, budget: Budget) -> Outcome:
        """Resolve one of its questions against an index, or against what its lock file has of it.

        Raises:
            UndeterminedError: the answer is unknown.
        """
        from wheelcheck.resolver.resolve import resolve

        lock = self.inputs.lock
        if lock is None or question.refused is not None:
            return resolve(question, index, budget)
        from wheelcheck.inputs.pylock import LockedIndex, of_lock

        return of_lock(resolve(question, LockedIndex(lock.packages(question.target), index), budget), lock, question)

    def _locked(self, target: Target) -> list[UserRequirement]:
        """Return the requirements of the lock file for a target."""
        from wheelcheck.inputs.read import UserRequirement
        from wheelcheck.inputs.requirement import Place

        lock = self.inputs.lock
        if lock is None:
            return []
        return [
            UserRequirement(
                requirement=one.requirement, place=Place(file=lock.file, table=one.table), hashes=one.hashes
            )
            for one in lock.packages(target)
        ]

    def _exclusions(self, target: Target) -> Iterator[NotForTarget]:
        """Yield where inputs themselves exclude a target."""
        if self.inputs.lock is None and not self.inputs.admissions:
            return
        any_python = self._policy.ignore_requires_python
        if self.inputs.lock is not None:
            yield from self.inputs.lock.exclusions(target, any_python=any_python)
        judge = Judge(target, any_python=any_python)
        for admission in self.inputs.admissions:
            if not judge.accepts_python(admission.requires_python):
                asked = (f"Python {admission.requires_python}",)
                yield NotForTarget(project=admission.project, place=str(admission.place), admitted=asked)

    def skipped(self, question: Question) -> tuple[Demand, ...]:
        """Return the requirements that do not apply to the target of a question."""
        return tuple(demand for demand in map(_asked, self.inputs.asks) if demand not in question.demands)

    @property
    def _policy(self) -> Policy:
        from wheelcheck.inputs.pip_config import selections

        options, configured, files = self.options, self.configuration, self.inputs.options
        selected = selections(
            (option.replace("_", "-"), ",".join(getattr(place, option)))
            for place in (configured, files)
            for option in ("only_binary", "no_binary", "all_releases", "only_final")
            if getattr(place, option)
        )
        hashes_given = any(ask.hashes for ask in (*self.inputs.asks, *self.inputs.constraints))
        hashes_wanted = hashes_given or configured.require_hashes or files.require_hashes
        return Policy(
            pre=options["pre"] or configured.pre or files.pre,
            all_releases=frozenset(selected["all_releases"]),
            only_final=frozenset(selected["only_final"]),
            no_binary=frozenset(selected["no_binary"]),
            only_binary=frozenset(selected["only_binary"]),
            prefer_binary=configured.prefer_binary or files.prefer_binary,
            allow_sdists=options["allow_sdists"],
            exclude_newer=self.exclude_newer,
            allow_no_upload_time=options["no_upload_time"] == "allow",
            require_hashes=hashes_wanted and not files.no_require_hashes,
            no_deps=options["no_deps"],
            ignore_requires_python=options["ignore_requires_python"] or configured.ignore_requires_python,
            resolution=options["resolution"],
        )

    @property
    def files(self) -> tuple[str, ...] | None:
        """The input files that decide the question; None where other things than files and pages decide the answer."""
        moves = ("confirm", "offline", "refresh", "no_cache", "rules", "exclude_newer")
        asks = (*self.inputs.asks, *self.inputs.constraints)
        own = any(ask.requirement.url and not ask.requirement.url.startswith("http") for ask in asks)
        read = self.inputs.files
        if own or "-" in read or any(self.options.get(name) for name in moves):
            return None
        return (*read, *self._files_of_configuration) if all(map(path.exists, read)) else None

    @property
    def _files_of_configuration(self) -> tuple[str, ...]:
        """The files of pip's configuration, existing or not, and those that it names."""
        from wheelcheck.inputs.pip_config import configuration_files

        configured = () if self.options["isolated"] else configuration_files(environ)
        return (*configured, *filter(None, (self.configuration.cert, self.configuration.client_cert)))

    @property
    def order(self) -> tuple[str, ...]:
        """The indexes, as reports name them, in the order in which ``first-index`` asks them."""
        from wheelcheck.index.sources import placed

        strict: Options = {**self.options, "index_strategy": "first-index"}
        sources = map(placed, sources_of(strict, self.configuration, self.inputs.options))
        return tuple(dict.fromkeys(source.label for source in sources if not source.links))

    @property
    def limit(self) -> str | None:
        """The instant of ``--exclude-newer`` as reports show it."""
        if self.exclude_newer is None:
            return None
        from wheelcheck.common.dates import shown

        return shown(self.exclude_newer)

    @property
    def applied(self) -> tuple[Applied, ...]:
        """The settings of pip that apply; an index given by the user replaces the configured ones."""
        named = self.options["index_url"] or self.inputs.options.index_url
        replaced = ("index-url", "extra-index-url") if named else ()
        return tuple(setting for setting in self.configuration.applied if setting.option not in replaced)

    @property
    def notices(self) -> tuple[str, ...]:
        """Notices about input without effect on the answer, one sentence each."""
        return self.inputs.notices + tuple(
            f"{ignored.option} {ignored.value} in {ignored.place} has no effect on the answer."
            for ignored in self.inputs.options.ignored
        )

    def unused_constraints(self, answered: Container[str]) -> Iterator[str]:
        """Yield a sentence for each file with constraints on projects that are in no answer.

        pip's configured constraints apply to every question, so they need not affect each.
        """
        configured = self.configuration.constraints
        given = [ask for ask in self.inputs.constraints if ask.place.file not in configured]
        idle = [ask for ask in given if canonicalize_name(ask.requirement.name) not in answered]
        for file in dict.fromkeys(ask.place.file for ask in idle):
            here = [ask for ask in idle if ask.place.file == file]
            named = ", ".join(f"{ask.requirement.name} (line {ask.place.line})" for ask in here[:MAX_NAMED])
            more = f" and {len(here) - MAX_NAMED} more" if len(here) > MAX_NAMED else ""
            yield f"{file} constrains what is not in the answer: {named}{more}."

    @contextmanager
    def opened_index(self, warn: Callable[[str], None], strategy: str | None = None) -> Iterator[Index]:
        """Open the index that answers, or one under another strategy.

        `warn` is called with what the user should hear of, one sentence each.
        """
        from wheelcheck.index.cache.store import Cache
        from wheelcheck.index.http.options import TransportOptions
        from wheelcheck.index.index import Index

        configuration, files = self.configuration, self.inputs.options
        transport = TransportOptions(
            timeout=configuration.timeout,
            retries=configuration.retries,
            trusted_hosts=(*configuration.trusted_hosts, *files.trusted_hosts),
            cert=configuration.cert,
            client_cert=configuration.client_cert,
            proxy=configuration.proxy,
            keyring_provider=configuration.keyring,
            user_agent=f"wheelcheck/{__version__}",
        )
        given = (digest for ask in (*self.inputs.asks, *self.inputs.constraints) for digest in ask.hashes)
        algorithms = {digest.partition(":")[0] for digest in given}
        algorithms |= self.inputs.lock.algorithms if self.inputs.lock else set()
        strategy = strategy or self.options["index_strategy"]
        with Index(
            sources_of({**self.options, "index_strategy": strategy}, configuration, files),
            cache=Cache(cache_directory(self.options), warn),
            transport_options=transport,
            offline=self.options["offline"],
            refresh=self.options["refresh"],
            local_hashes=tuple(sorted(algorithms)),
            strategy=strategy,
        ) as index:
            yield index


def _texts(requirements: Iterable[str]) -> tuple[str, ...]:
    if isinstance(requirements, str):
        raise UsageError(f"Give a list of requirements, such as [{requirements!r}], not a text.")
    found = tuple(requirements)
    for requirement in found:
        if not isinstance(requirement, str):
            raise UsageError(f"A requirement is a text, such as 'tensorflow>=2.16', not {requirement!r}.")
    return found


def _chosen(targets: Iterable[str | Target] | None) -> tuple[str | Target | None, ...]:
    if isinstance(targets, str):
        raise UsageError(f"Give a list of targets, such as [{targets!r}], not a text.")
    chosen = (None,) if targets is None else tuple(targets)
    if not chosen:
        raise UsageError("No target is named; leave the targets out to check for the running interpreter.")
    return chosen


def _expanded(targets: Iterable[str | Target | None]) -> Iterator[str | Target | None]:
    """Yield targets, and those of a group in its place."""
    from wheelcheck.targets.target import expanded

    for target in targets:
        yield from expanded(target) if isinstance(target, str) else (target,)


def rules_of(options: Options) -> Rules:
    """Return the rules that options leave in force. Raises UsageError."""
    from wheelcheck.rules.load import rules_in_force

    return NO_RULES if options["no_rules"] else rules_in_force(options["rules"]).without(options["ignore"])


def _holds(ask: UserRequirement, target: Target) -> bool:
    try:
        return applies(ask.requirement, target)
    except UndecidableMarker as error:
        shown = mask(str(ask.requirement))
        raise UsageError(f"The marker of {shown} ({ask.place}) cannot be evaluated: {error}") from None


def _check_direct_references(asks: Iterable[UserRequirement]) -> None:
    """Reject two different files for one project, since no answer could contain both."""
    given: dict[NormalizedName, UserRequirement] = {}
    for ask in asks:
        if ask.requirement.url:
            first = given.setdefault(canonicalize_name(ask.requirement.name), ask)
            if first.requirement.url != ask.requirement.url:
                places = f"{first.place}; {ask.place}"
                raise UsageError(f"Two files are given for {ask.requirement.name} ({places}). Leave one of them out.")


def _asked(ask: UserRequirement) -> Demand:
    return _demand(ask, Asked(place=str(ask.place)))


def _demand(ask: UserRequirement, origin: Asked | Constraint) -> Demand:
    return Demand(requirement=ask.requirement, origin=origin, hashes=(*ask.hashes, *_fragment(ask.requirement)))


def _fragment(requirement: Requirement) -> tuple[str, ...]:
    """Return the hashes in the fragment of a direct reference."""
    stated = hash_pairs((requirement.url or "").partition("#")[2])
    return tuple(f"{algorithm}:{digest}" for algorithm, digest in stated.items())


# -- where to ask


def sources_of(options: Options, configuration: Configuration, files: FileOptions) -> tuple[Source, ...]:
    """Return the sources in order: find-links locations, the index, extra indexes.

    Under first-index, the index itself comes last, and extra indexes given with the question precede configured ones,
    as in uv. Sources in a requirements file replace those of the caller, which replace the configured ones.
    """
    from wheelcheck.index.index import FindLinks, SimpleIndex

    links = (*files.find_links, *options["find_links"], *configuration.find_links)
    found: tuple[Source, ...] = tuple(FindLinks(location) for location in links)
    if options["no_index"] or files.no_index or (configuration.no_index and not options["index_url"]):
        if not found:
            raise UsageError("--no-index leaves no source: name a place of files with --find-links.")
        return found
    index, configured, named = _index_urls(options, configuration, files)
    is_first = options["index_strategy"] == "first-index"
    urls = (*named, *configured, index) if is_first else (index, *configured, *named)
    return (*found, *map(SimpleIndex, urls))


def _index_urls(
    options: Options, configuration: Configuration, files: FileOptions
) -> tuple[str, Sequence[str], Sequence[str]]:
    """Return the index, the configured extra indexes, and those given with the question."""
    from wheelcheck.inputs.pip_config import default_index_url

    if files.index_url:
        return files.index_url, (), files.extra_index_urls
    named = (*options["extra_index_url"], *files.extra_index_urls)
    if options["index_url"]:
        return options["index_url"], (), named
    return configuration.index_url or default_index_url(), configuration.extra_index_urls, named


def cache_directory(options: Options) -> Path | None:
    """Return the cache directory, or None where nothing is cached."""
    from pathlib import Path

    from wheelcheck.index.cache import entries

    return None if options["no_cache"] else Path(options["cache_dir"] or entries.cache_directory())
