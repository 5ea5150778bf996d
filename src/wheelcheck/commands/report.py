"""What comes of a check: one `Result` for each target, together a `Report`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wheelcheck.common.records import Plain, Truthful, field, plain, record, replace
from wheelcheck.index.cache.stamps import holds
from wheelcheck.resolver.model import Missing

if TYPE_CHECKING:
    from wheelcheck.advice.changes import Remedy
    from wheelcheck.advice.concerns import Concern
    from wheelcheck.common.errors import UndeterminedError
    from wheelcheck.diagnosis.confirmation import Confirmation
    from wheelcheck.index.index import Counters
    from wheelcheck.inputs.pip_config import Applied
    from wheelcheck.resolver.limits import Counted
    from wheelcheck.resolver.model import Demand, Distribution, NoAnswer, Pin
    from wheelcheck.rules.model import Rule
    from wheelcheck.targets.target import Target


@record
class Result(Truthful):
    """The answer for one target: pins, or a conflict, or an error that left it unknown.

    Attributes:
        target: the interpreter and platform.
        pins: the chosen files, by name; empty where there is no answer.
        satisfied: what is installed and stays, for a pip command.
        conflict: why there is no answer, or None.
        error: why the answer is unknown, or None.
        concerns: problems with an answer that works.
        remedies: changes that were re-resolved and give a better answer, in the order of `CHANGES`.
        has_all_remedies: whether there was time to try all of them.
        sought_remedies: whether any were sought.
        rules: every curated rule that had a part in the answer.
        linkage: reserved for the binary links of the chosen wheels; always None for now.
        confirmation: the outcome of a real import, or None where none was requested.
        skipped: requirements that do not apply, because their markers do not hold for the target.
        strict: whether warnings count as failures.
        resolution: the work that the resolution took.
    """

    target: Target
    pins: tuple[Pin, ...] = ()
    satisfied: tuple[Distribution, ...] = ()
    conflict: NoAnswer | None = None
    error: UndeterminedError | None = None
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
        """Whether the answer is "compatible": no conflict, no error, no failed import, and if strict, no warning."""
        warned = self.strict and any(concern.level == "warning" for concern in self.concerns)
        failed = self.confirmation is not None and self.confirmation.ok is False
        return self.conflict is None and self.error is None and not failed and not warned

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `results` in a report."""
        return {
            "target": self.target.to_dict(),
            "ok": self.ok,
            "error": plain(self.error),
            "pins": plain(self.pins),
            "satisfied": [{"name": one.name, "version": str(one.version)} for one in self.satisfied],
            "conflict": plain(self.conflict),
            "rules": [plain(rule) for rule in self.rules],
            "concerns": plain(self.concerns),
            "remedies": plain(self.remedies),
            "has_all_remedies": self.has_all_remedies,
            "linkage": self.linkage,
            "confirmation": plain(self.confirmation),
            "skipped": plain(self.skipped),
            "resolution": plain(self.resolution),
        }


@record
class FromIndex(Truthful):
    """An answer with where it comes from.

    Attributes:
        sources: the indexes and directories that were queried, without credentials.
        applied: what pip's configuration and environment contributed.
        counters: requests made, bytes received, and answers taken from the cache.
        oldest: when the oldest page behind the answer was received, in seconds since the epoch, or None.
        exclude_newer: the instant of ``--exclude-newer`` (RFC 3339, UTC), or None.
        notices: what the user should hear of besides the answer, one sentence each.
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
class Report(FromIndex):
    """The results for all targets, in the order in which the targets were named.

    Attributes:
        results: one for each target.
        sources, applied, counters, oldest, exclude_newer, notices: where the answer comes from, as in `FromIndex`.
        stamps: the state of all files and pages behind the answer, so that it may be given again; None where a change
            of them could go unnoticed.
        answered: how many pages and metadata were read for it.

    Example:
        >>> report = wheelcheck.check(["tensorflow"], targets=["macos-14-arm64-cp312"])  # doctest: +SKIP
        >>> report.ok, report.results[0].pins[0].version  # doctest: +SKIP
        (True, <Version('2.3.1')>)
    """

    results: tuple[Result, ...]
    stamps: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    answered: int = field(default=0, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        """Whether every target has a compatible answer."""
        return all(result.ok for result in self.results)

    @property
    def exit_code(self) -> int:
        """0 compatible; 1 a definite "no" for some target; 2 no definite "no", but some answer is unknown."""
        if any(not result.ok and result.error is None for result in self.results):
            return 1
        return 0 if self.ok else 2

    @property
    def is_lasting(self) -> bool:
        """Whether the report may be given again while its stamps hold.

        It may not where something failed, where a hint at similar names came from other places than pages, or where
        there was too little time for all remedies, since next time there may be enough.
        """
        complete = all(
            not isinstance(result.conflict, Missing) and result.error is None and result.has_all_remedies
            for result in self.results
        )
        return complete and self.stamps is not None and holds(self.stamps)

    @property
    def again(self) -> Report:
        """The report as it reads when it is given again, without a request."""
        return replace(self, counters=self.counters._replace(requests=0, bytes=0, cached=self.answered))

    def to_dict(self) -> dict[str, Plain]:
        """Return the document ``wheelcheck/report/1``."""
        return {
            "schema": "wheelcheck/report/1",
            "ok": self.ok,
            "results": [result.to_dict() for result in self.results],
            "index": self.origin,
            "notices": list(self.notices),
        }


class Memory:
    """The last reports of this process, each given again while its stamps hold.

    Args:
        most: how many reports are kept.
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._reports: dict[object, Report] = {}

    def recall(self, question: object) -> Report | None:
        """Return the report on a question, unless something behind it has changed."""
        report = self._reports.get(question)
        if report is None or report.stamps is None:
            return None
        if holds(report.stamps):
            return report.again
        self._reports.pop(question, None)
        return None

    def keep(self, question: object, report: Report) -> None:
        """Keep a report, and drop the oldest where there are too many."""
        if question is not None and report.is_lasting:
            self._reports[question] = report
            for oldest in list(self._reports)[: -self._most]:
                self._reports.pop(oldest, None)
