"""What is wrong with an answer as rows: the common ground of the formats for CI and of one-line summaries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from wheelcheck.common.records import record
from wheelcheck.render import phrases
from wheelcheck.render.console import harmless
from wheelcheck.resolver import model as outcomes

if TYPE_CHECKING:
    from wheelcheck.commands.check_wheels import WheelResult
    from wheelcheck.commands.report import Result
    from wheelcheck.diagnosis.confirmation import ModuleResult
    from wheelcheck.standards.names import NormalizedName

Level: TypeAlias = Literal["error", "warning", "note"]

COMMAND_LINE = "the command line"


@record
class Location:
    """Where a requirement is written: a file, and its line where it has one."""

    file: str
    line: int | None = None


@record
class Problem:
    """Something that is wrong with an answer.

    Attributes:
        level: ``error`` where it makes the answer not compatible or unknown.
        kind: the kind of the conflict, error or concern, or the cause of a failed import.
        project: the project or module that it is about; empty where there is none.
        reason: one or more sentences, in one line.
        target: the name of the target.
        location: where the requirement behind it is written; None for the command line.
        fixes: changes or commands that help.
    """

    level: Level
    kind: str
    project: str
    reason: str
    target: str
    location: Location | None = None
    fixes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """``project: reason``."""
        return f"{self.project}: {self.reason}" if self.project else self.reason


def problems_of(result: Result) -> list[Problem]:
    """Return what is wrong with the answer for one target, worst first."""
    found = [*_no_answer(result), *_imports(result), *_concerns(result)]
    return sorted(found, key=lambda problem: ("error", "warning", "note").index(problem.level))


def summary_of(result: Result) -> str:
    """Return the worst problem as ``project: reason``, or an empty text where the answer is compatible."""
    return next((problem.summary for problem in problems_of(result) if problem.level == "error"), "")


def summary_of_wheels(result: WheelResult, where: str) -> str:
    """Return why built wheels of a project do not do for a target as ``project: reason``, or an empty text."""
    if result.result is not None:
        return summary_of(result.result)
    nearest = result.files[0]
    why = "; ".join(phrases.joined_reasons([nearest.refused(result.target)]))
    reason = f"no wheel in {where} fits {result.target.name}; the nearest, {nearest.filename}: {why}"
    return _line(f"{result.project}: {reason}")


def _no_answer(result: Result) -> Iterator[Problem]:
    target = result.target.name
    if result.error is not None:
        yield Problem(level="error", kind=result.error.kind, project="", reason=_line(str(result.error)), target=target)
    conflict = result.conflict
    if conflict is None:
        return
    yield Problem(
        level="error",
        kind=conflict.kind,
        project=str(conflict.project),
        reason=_line(_reason(conflict, result)),
        target=target,
        location=_first_location(conflict.demands),
        fixes=tuple(_line(phrases.change(remedy.change)) for remedy in result.remedies),
    )


def _reason(conflict: outcomes.NoAnswer, result: Result) -> str:
    """Return why there is no answer: the reasons against the nearest file, or the demands that conflict."""
    if isinstance(conflict, outcomes.Conflict):
        demands = (f"{demand.shown} ({phrases.origin(demand)})" for demand in conflict.demands)
        return f"the requirements conflict: {phrases.listed(demands)}"
    if isinstance(conflict, outcomes.NoCompatibleFile) and conflict.files and conflict.files[0].reasons:
        nearest = conflict.files[0]
        why = "; ".join(phrases.joined_reasons([nearest]))
        return f"no file fits {result.target.name}; the nearest, {nearest.filename}: {why}"
    return phrases.conflict(conflict, result.target).removeprefix(f"{conflict.project} ")


def _imports(result: Result) -> Iterator[Problem]:
    for module in result.confirmation.modules if result.confirmation is not None else ():
        if not module.ok:
            yield _import(module, result.target.name)


def _import(module: ModuleResult, target: str) -> Problem:
    diagnosis, failure = module.diagnosis, module.failure
    assert failure is not None
    what = phrases.failure(failure)
    return Problem(
        level="error",
        kind=diagnosis.cause if diagnosis is not None else failure.kind,
        project=str(module.project or module.module),
        reason=_line(f"{diagnosis.cause}: {diagnosis.explanation} ({what})" if diagnosis is not None else what),
        target=target,
        fixes=diagnosis.fixes if diagnosis is not None else (),
    )


def _concerns(result: Result) -> Iterator[Problem]:
    pins = {pin.name: pin for pin in result.pins}
    for group in phrases.groups(result.concerns, result.pins):
        concern = group[0]
        project = getattr(concern, "project", None) if len(group) == 1 else None
        level: Level = "note" if concern.level == "note" else "error" if result.strict else "warning"
        sentence = _line(phrases.about(group))
        yield Problem(
            level=level,
            kind=concern.kind,
            project=str(project or ""),
            reason=sentence.removeprefix(f"{project} ").removeprefix("is "),
            target=result.target.name,
            location=_location_of(project, pins) if project is not None else None,
        )


def _location_of(name: NormalizedName, pins: Mapping[NormalizedName, outcomes.Pin]) -> Location | None:
    """Return where what leads to a project is requested."""
    waiting, seen = [name], set[str]()
    while waiting:
        pin = pins.get(waiting.pop(0))
        if pin is None or pin.name in seen:
            continue
        seen.add(pin.name)
        location = _first_location(pin.demands)
        if location is not None:
            return location
        waiting += [d.origin.name for d in pin.demands if isinstance(d.origin, outcomes.NeededBy)]
    return None


def _first_location(demands: tuple[outcomes.Demand, ...]) -> Location | None:
    places = (d.origin.place for d in demands if isinstance(d.origin, outcomes.Asked | outcomes.Constraint))
    return next(filter(None, map(location_at, places)), None)


def location_at(place: str) -> Location | None:
    """Return the file and line of a place, as `wheelcheck.inputs.requirement.Place` writes it."""
    if place == COMMAND_LINE:
        return None
    file, mark, line = place.rpartition(", line ")
    if mark and line.isdigit():
        return Location(file=file, line=int(line))
    return Location(file=re.sub(r" (?:\[.*|dependency-groups.*)$", "", place))


def _line(text: str) -> str:
    return " ".join(harmless(text).split())
