"""Give the verdict on every file of one project for one target."""

from __future__ import annotations

from collections.abc import Iterable
from time import thread_time
from typing import TYPE_CHECKING

from wheelcheck.commands.check import result_of
from wheelcheck.commands.report import FromIndex, Result
from wheelcheck.commands.retry import Retry
from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import Plain, plain, record, replace
from wheelcheck.inputs.options import Options, complete
from wheelcheck.inputs.request import Request
from wheelcheck.resolver.compatibility import ForbiddenByRule
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import Demand, Pin, Question, RefusedFile
from wheelcheck.resolver.rejections import JudgedFile, every_file, nearest_of
from wheelcheck.standards.names import NormalizedName
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wheelcheck.resolver.state import ResolutionState


@record
class Explanation(FromIndex):
    """Every file of one project, with its verdict for one target.

    Attributes:
        demands: what selects the versions: the requirement, and the constraints on its project.
        result: what would be chosen, or why nothing would be, as `check` without dependencies reports it.
        files: every file of the selected versions: newest version first, within a version closest file first. Files
            with invalid names come last.
        nearest: the closest of the files that are newer than every compatible final release; None where the newest
            version is compatible.
        sources, applied, counters, oldest, exclude_newer, notices: where the answer comes from, as in `FromIndex`.
    """

    demands: tuple[Demand, ...]
    result: Result
    files: tuple[JudgedFile, ...] = ()
    nearest: RefusedFile | None = None

    @property
    def project(self) -> NormalizedName:
        """The project, normalized."""
        return self.demands[0].name

    @property
    def target(self) -> Target:
        """The target."""
        return self.result.target

    @property
    def best(self) -> Pin | None:
        """The file that would be chosen, or None."""
        return next((pin for pin in self.result.pins if pin.name == self.project), None)

    @property
    def error(self) -> UndeterminedError | None:
        """Why the answer is unknown, or None."""
        return self.result.error

    @property
    def ok(self) -> bool:
        """Whether a file is compatible."""
        return self.best is not None

    @property
    def exit_code(self) -> int:
        """0 a file is compatible; 1 none is; 2 unknown."""
        if self.error is not None:
            return 2
        return 0 if self.ok else 1

    def to_dict(self) -> dict[str, Plain]:
        """Return the document ``wheelcheck/explain/1``."""
        result = self.result.to_dict()
        return {
            "schema": "wheelcheck/explain/1",
            "ok": self.ok,
            "project": self.project,
            "demands": plain(self.demands),
            "target": result["target"],
            "best": None if self.best is None else self.best.file.filename,
            "nearest": plain(self.nearest),
            "files": plain(self.files),
            **{key: result[key] for key in ("conflict", "error", "concerns", "rules")},
            "index": self.origin,
            "notices": list(self.notices),
        }


def explain(requirement: str, /, *, target: str | Target | None = None, **options: Unpack[Options]) -> Explanation:
    """Give the verdict on every file of a project, with every reason against it.

    Only the metadata of the file that would be chosen is read.

    Args:
        requirement: a requirement (PEP 508); its specifier selects the versions.
        target: a target or its text; left out, the running interpreter.
        options: see `Options`; those on requirements files and imports are rejected.

    Raises:
        UsageError: the arguments are malformed. An answer that is unknown is the `error` of the explanation.

    Example:
        >>> wheelcheck.explain("tensorflow-metal", target="macos-14-arm64-cp313").ok  # doctest: +SKIP
        False
    """
    asked = complete(options)
    for name, given in (("requirement", asked["requirement"]), ("confirm", asked["confirm"])):
        if given:
            raise UsageError(f"explain takes one requirement and imports nothing; leave the option {name} out.")
    if not isinstance(target, str | Target | None):
        raise UsageError(f"explain takes one target, not {target!r}; call it once for each.")
    without_dependencies: Options = {**asked, "no_deps": True}
    request = Request.read((requirement,), (target,) if target is not None else None, without_dependencies)
    question = _question(request)
    notices = list(request.notices)
    with request.opened_index(notices.append) as index:
        result, state, files = _judged(question, Retry(request, index))
        nearest = nearest_of(files, question.target)
        return Explanation(
            demands=(*question.demands, *state.constraints_on(question.demands[0].name)),
            result=_with_all(result, files, nearest),
            files=files,
            nearest=nearest,
            sources=index.sources,
            applied=request.applied,
            counters=index.counters,
            oldest=index.oldest,
            exclude_newer=request.limit,
            notices=tuple(notices),
        )


def _question(request: Request) -> Question:
    """Return the question for the one target. Raises `UsageError` where the requirement's marker does not hold
    there.
    """
    target = request.targets[0]
    question = request.question(target)
    if not question.demands:
        (skipped,) = request.skipped(question)
        raise UsageError(
            f"{skipped.shown} does not apply to {target.name}, where its marker does not hold; leave the marker out "
            "to see the files all the same."
        )
    return question


def _judged(question: Question, retry: Retry) -> tuple[Result, ResolutionState, tuple[JudgedFile, ...]]:
    """Return what would be chosen, the recorded state, and the verdict on every file."""
    from wheelcheck.resolver.resolve import resolve_with_state

    (demand,) = question.demands
    if not demand.requirement.url:
        retry.view.start_page(demand.name)  # under way while the resolver is loaded
    outcome, state = resolve_with_state(question, retry.view, Budget(thread_time))
    try:
        files = every_file(state, demand.name, question.demands)
        if isinstance(outcome, UndeterminedError):
            return Result(target=question.target, error=outcome), state, files
        return result_of(question, outcome, retry), state, files
    except UndeterminedError as error:
        return Result(target=question.target, error=error), state, ()


def _with_all(result: Result, files: Iterable[JudgedFile], nearest: RefusedFile | None) -> Result:
    """Return the result with every rule that forbids a file, and its conflict with the closest file only."""
    forbidding = (why.rule for judged in files for why in judged.reasons if isinstance(why, ForbiddenByRule))
    rules = tuple(dict.fromkeys((*result.rules, *forbidding)))
    conflict = result.conflict and replace(result.conflict, files=() if nearest is None else (nearest,))
    return replace(result, rules=rules, conflict=conflict)
