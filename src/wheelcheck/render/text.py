"""Reports as text: for each target the pins, then what is wrong, then the fixes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from os import urandom
from typing import TYPE_CHECKING

from wheelcheck.common.records import replace
from wheelcheck.render import phrases
from wheelcheck.render.console import harmless
from wheelcheck.render.import_text import WIDTH, command_lines, confirmation_lines, diagnosis_lines, reasons, wrap
from wheelcheck.resolver import compatibility as verdicts
from wheelcheck.resolver import model as outcomes
from wheelcheck.standards.names import canonicalize_name

if TYPE_CHECKING:
    from wheelcheck.advice.changes import Remedy
    from wheelcheck.commands.check_wheels import WheelResult
    from wheelcheck.commands.doctor import Audit
    from wheelcheck.commands.explain import Explanation
    from wheelcheck.commands.report import FromIndex, Report, Result
    from wheelcheck.commands.snapshot import Snapshot
    from wheelcheck.diagnosis.confirmation import Confirmation
    from wheelcheck.diagnosis.diagnose import Diagnosis
    from wheelcheck.index.cache.usage import Contents
    from wheelcheck.rules.model import Rule
    from wheelcheck.targets.target import Target

NEAREST = 3
"""Maximum number of groups of rejected files in a text; JSON has all."""

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


class Style:
    """Colour where it is wanted.

    Until `harmless` has run, a random mark stands for escape codes, so that no text from an index can contain one.
    """

    def __init__(self, colour: bool = False) -> None:
        self.colour = colour
        self.mark = urandom(8).hex()

    def __call__(self, style: str, text: str) -> str:
        return f"{self.mark}{_STYLES[style]}m{text}{self.mark}0m" if self.colour and text else text

    def written(self, text: str) -> str:
        """Return the final text: control characters escaped, colours inserted."""
        return re.sub(f"{self.mark}([0-9]+m)", "\033[\\1", harmless(text))


def render_report(report: Report, *, style: Style | None = None, quiet: bool = False, verbose: bool = False) -> str:
    """Render a report. `quiet` leaves out the pins, `verbose` adds where the answer comes from."""
    style = style or Style()
    blocks = ["\n".join(_result(result, style, quiet)) for result in report.results]
    if verbose:
        blocks.append("\n".join([*_sources(report), *map(_work, report.results)]))
    return style.written("\n\n".join(blocks))


def render_explanation(
    explanation: Explanation, *, style: Style | None = None, quiet: bool = False, verbose: bool = False
) -> str:
    """Render the files of a project. `quiet` leaves out the table, `verbose` gives each file a line."""
    style = style or Style()
    lines = [*_explanation(explanation, style), *(() if quiet else _table(explanation, style, verbose))]
    lines += _indented(_rules(explanation.result.rules, style))
    return style.written("\n".join([*lines, *(_sources(explanation) if verbose else ())]))


def render_diagnosis(diagnosis: Diagnosis, *, style: Style | None = None) -> str:
    """Render the cause, what it means, the line that tells of it, what helps, and what else it could be."""
    style = style or Style()
    return style.written("\n".join(diagnosis_lines(diagnosis, style)))


def render_confirmation(confirmation: Confirmation, *, style: Style | None = None) -> str:
    """Render the outcome of an import."""
    style = style or Style()
    return style.written("\n".join([*confirmation_lines(confirmation, style), *reasons(confirmation, style)]))


def render_audit(audit: Audit, *, style: Style | None = None) -> str:
    """Render what is wrong with an environment, and the commands that mend it, in their order."""
    style = style or Style()
    return style.written("\n".join(_audit(audit, style)))


def _audit(audit: Audit, style: Style) -> Iterator[str]:
    target, number = audit.environment.target, len({one.name for one in audit.environment.distributions})
    verdict = style("green", "well") if audit.ok else style("red", phrases.counted(len(audit.findings), "finding"))
    yield f"{style('bold', target.interpreter or target.name)}  {verdict}"
    yield style("dim", f"  {target_line(replace(target, interpreter=None))}; {phrases.counted(number, 'distribution')}")
    for one in audit.findings:
        label = f"{one.kind}: "
        first, *rest = wrap(f"{label}{one.message}", WIDTH - 2)
        yield f"  {style('red', one.kind)}{first[len(one.kind) :]}"
        yield from (f"    {line}" for line in rest)
    if audit.commands:
        yield style("bold", "What mends it, in this order:")
        for command in audit.commands:
            yield from (f"  {line}" for line in command_lines(command, WIDTH - 2))


def render_wheels(results: Sequence[WheelResult], where: str) -> str:
    """Render what was found out about built wheels for one target."""
    style = Style()
    return style.written("\n".join(line for result in results for line in _wheels(result, where, style)))


def _wheels(result: WheelResult, where: str, style: Style) -> Iterator[str]:
    if result.result is not None and result.best is not None:
        yield f"{result.best.name} fits; its dependencies:"
        yield from _result(result.result, style, quiet=True)
        return
    yield f"{result.target.name}  not covered"
    yield style("dim", f"  {target_line(result.target)}")
    yield f"  No wheel of {result.project} in {where} fits. The nearest:"
    for group in list(_groups([judged.refused(result.target) for judged in result.files]))[:NEAREST]:
        yield from _indented(_indented(_nearest(group, result.target)))


def _explanation(explanation: Explanation, style: Style) -> Iterator[str]:
    """Yield the verdict, what would be chosen or why nothing would be, and the closest file."""
    yield f"{style('bold', explanation.target.name)}  {_verdict(explanation.result, style)}"
    yield style("dim", f"  {target_line(explanation.target)}")
    if explanation.error is not None:
        yield f"  {explanation.error}"
    if explanation.result.conflict is not None:
        yield from _indented(_refusal(explanation.result.conflict, explanation.target, style))
    if explanation.best is not None:
        yield from _indented(
            [f"{explanation.project} {explanation.best.version} fits best: {explanation.best.file.filename}"]
        )
    if explanation.nearest is not None:
        head, *rest = _nearest([explanation.nearest], explanation.target)
        label = "Nearest" if explanation.result.conflict else "Nearest of what is newer"
        yield from _indented([f"{label}: {head}", *rest])
    yield from _indented(_concerns(explanation.result, style))


def _table(explanation: Explanation, style: Style, every: bool) -> Iterator[str]:
    from wheelcheck.render.table import table

    if explanation.files:
        yield style("dim", f"  {phrases.extent(explanation.files, explanation.demands)}")
        yield from (f"    {line}" for line in table(explanation.files, every=every))


def _result(result: Result, style: Style, quiet: bool) -> Iterator[str]:
    yield f"{style('bold', result.target.name)}  {_verdict(result, style)}"
    yield style("dim", f"  {target_line(result.target)}")
    if result.error is not None:
        yield f"  {result.error}"
    if result.conflict is not None:
        yield from _indented(_conflict(result.conflict, result.target, style))
    if result.pins and not quiet and result.conflict is None:
        yield from _indented(_pins(result.pins, style))
    if result.satisfied and not quiet:
        there = phrases.listed(f"{one.name} {one.version}" for one in result.satisfied)
        yield from _indented([f"installed already, and stays: {there}"])
    yield from _indented(_skipped(result))
    if result.confirmation is not None:
        yield from _indented(confirmation_lines(result.confirmation, style, WIDTH - 2))
    yield from _indented(_concerns(result, style))
    yield from _indented(_rules(result.rules, style))
    yield from _indented(_remedies(result, style))


def _verdict(result: Result, style: Style) -> str:
    if result.error is not None:
        return style("yellow", "unknown")
    return style("green", "compatible") if result.ok else style("red", "not compatible")


def target_line(target: Target) -> str:
    """Describe a target in one line, with what was assumed."""
    described = f"{phrases.python_of(target)} ({target.abi}) on {phrases.platform_of(target)}"
    taken = phrases.assumed(target)
    assumed = f"; assumed: {phrases.listed(taken)}" if taken else ""
    return f"{described}{assumed}{f'; {target.interpreter}' if target.interpreter else ''}"


def _pins(pins: Sequence[outcomes.Pin], style: Style) -> Iterator[str]:
    rows = [
        (
            (f"{pin.name}[{','.join(pin.extras)}]" if pin.extras else pin.name),
            str(pin.version),
            pin.file.filename,
            _wanted(pin),
        )
        for pin in pins
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield f"{cells[0]}  {cells[1]}  {cells[2]}  {style('dim', row[3])}".rstrip()


def _wanted(pin: outcomes.Pin) -> str:
    wanted = ["requested"] if pin.requested else []
    if pin.needed_by:
        wanted.append(f"required by {phrases.listed(pin.needed_by)}")
    return "; ".join(wanted)


# -- a "no"


def _refusal(conflict: outcomes.NoAnswer, target: Target, style: Style) -> Iterator[str]:
    """Yield why there is no answer, with the demands."""
    yield style("red", phrases.conflict(conflict, target))
    for demand in conflict.demands:
        yield f"  {demand.shown}  {style('dim', phrases.origin(demand))}"


def _conflict(conflict: outcomes.NoAnswer, target: Target, style: Style) -> Iterator[str]:
    yield from _refusal(conflict, target, style)
    groups = list(_groups(conflict.files))
    if groups:
        yield "What each side offers:" if isinstance(conflict, outcomes.Conflict) else "The nearest files:"
    worth_naming = _worth_naming(groups)
    for place in worth_naming:
        yield from _indented(_nearest(groups[place], target))
    left = [file for place, files in enumerate(groups) if place not in worth_naming for file in files]
    if left:
        shown = " and ".join(f"wheelcheck explain {name}" for name in _projects(left, conflict))
        yield style("dim", f"  and {phrases.counted(len(left), 'more file')}; {shown} shows every one.")


def _groups(files: Iterable[outcomes.RefusedFile]) -> Iterator[list[outcomes.RefusedFile]]:
    """Group files that are shown together, closest first."""
    for _, group in groupby(files, lambda file: file.likeness):
        yield list(group)


def _worth_naming(groups: Sequence[list[outcomes.RefusedFile]]) -> list[int]:
    """Return the positions of the closest groups, with at most one of source distributions if there are enough
    others.
    """
    sources = [place for place, files in enumerate(groups) if [*map(type, files[0].reasons)] == [verdicts.SourceOnly]]
    spare = sources[max(1, NEAREST - len(groups) + len(sources)) :]
    return [place for place in range(len(groups)) if place not in spare][:NEAREST]


def _projects(files: Sequence[outcomes.RefusedFile], conflict: outcomes.NoAnswer) -> list[str]:
    """Return the projects of files, by their names."""
    names = sorted({str(conflict.project), *(str(demand.name) for demand in conflict.demands)}, key=len, reverse=True)
    of = (
        next((n for n in names if canonicalize_name(f.filename).startswith(f"{n}-")), conflict.project) for f in files
    )
    return list(dict.fromkeys(map(str, of)))


def _nearest(files: Sequence[outcomes.RefusedFile], target: Target) -> Iterator[str]:
    """Yield files with the same reasons: what of all of them matches, and what does not."""
    first = files[0]
    of = f"of {first.version}" if all(file.version == first.version for file in files) else "of other versions"
    more = f" and {len(files) - 1} more{f' {of}' if first.version else ''}" if len(files) > 1 else ""
    yield f"{first.filename}{more}"
    common = tuple(axis for axis in first.fits if all(axis in file.fits for file in files))
    fits = phrases.fits(common, target) if first.reasons else phrases.LEFT_OUT
    if fits:
        yield f"  {fits}"
    yield from (f"  {why}" for why in phrases.joined_reasons(files))


# -- what is wrong with a "yes", and why


def _skipped(result: Result) -> Iterator[str]:
    for demand in result.skipped:
        yield f"{demand.shown} is left out: its marker does not hold for this target."


def _concerns(result: Result | Remedy, style: Style) -> Iterator[str]:
    """Yield a line for each concern; many similar ones about transitive dependencies share one."""
    for group in phrases.groups(result.concerns, result.pins):
        yield _levelled(group[0].level, phrases.about(group), style)


def _levelled(level: str, sentence: str, style: Style) -> str:
    return f"{style('yellow' if level == 'warning' else 'bold', level)}: {sentence}"


def _rules(rules: Sequence[Rule], style: Style) -> Iterator[str]:
    for rule in rules:
        yield f"rule {style('bold', rule.id)}: {rule.why}"
        for source in rule.sources:
            yield style("dim", f"  source: {phrases.sourced(source)}")
        yield style("dim", f"  --ignore {rule.id} leaves it out.")


def _remedies(result: Result, style: Style) -> Iterator[str]:
    """Yield each remedy with the pins of the requested projects, and the warnings that it introduces."""
    if result.remedies:
        yield style("bold", "Fixes (each was re-resolved):")
    for number, remedy in enumerate(result.remedies, 1):
        yield f"  {number}. {phrases.change(remedy.change)}"
        gives = [f"{pin.name} {pin.version}" for pin in remedy.pins if pin.requested]
        yield f"     -> {phrases.listed(gives)}"
        yield from (f"     {line}" for line in _concerns(remedy, style))
    if not result.has_all_remedies:
        yield style("dim", "There was no time to try every possible fix.")
    elif result.sought_remedies and not result.remedies and not isinstance(result.conflict, outcomes.Missing | None):
        yield style("dim", "No change that was tried fixes it.")


def _sources(report: FromIndex) -> Iterator[str]:
    counted = report.counters
    yield f"requests: {counted.requests}; bytes: {counted.bytes}; answers from the cache: {counted.cached}"
    yield from (f"  index: {source}" for source in report.sources)
    if report.exclude_newer:
        yield f"  left out: what was uploaded at {report.exclude_newer} or later"
    yield from (f"  from pip's configuration: {a.option} = {a.value} ({a.source})" for a in report.applied)


def _work(result: Result) -> str:
    work = result.resolution
    if work is None:
        return f"  {result.target.name}: nothing was resolved"
    return f"  {result.target.name}: rounds: {work.rounds}; candidates: {work.candidates}; metadata: {work.metadata}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        for part in line.split("\n"):
            yield f"  {part}"


def render_contents(held: Contents, *, cleared: bool) -> str:
    """Render the contents of the cache, or what it held before it was cleared."""
    amounts = {"answers of indexes": held.answers, "wheels": held.wheels, "environments": held.environments}
    rows = [f"  {kind}: {amount.number}, {amount.bytes / 1e6:.1f} MB" for kind, amount in amounts.items()]
    return harmless("\n".join([f"{held.directory}{' was cleared; it held' if cleared else ''}", *rows]))


def render_snapshot(snapshot: Snapshot) -> str:
    """Render what was recorded, and the answers that it reproduces."""
    size = f"{snapshot.projects} projects, {snapshot.files} files, {snapshot.bytes / 1e6:.1f} MB"
    lines = [f"{snapshot.directory} holds what the answer needs: {size}"]
    if snapshot.missing:
        lines.append(f"  not on any index: {', '.join(snapshot.missing)}")
    lines += [
        f"  {result.target.name}  {'compatible' if result.ok else 'not compatible'}" for result in snapshot.results
    ]
    return harmless("\n".join(lines))


def render_target(target: Target) -> str:
    """Render one target in full: its description, its marker variables, its tags best first."""
    lines = [target.name, f"  {target_line(target)}", "  markers:"]
    lines += [f"    {name} = {value!r}" for name, value in sorted(target.environment.items())]
    lines.append(f"  tags, best first ({len(target.tags)}):")
    return harmless("\n".join([*lines, *(f"    {tag}" for tag in target.tags)]))
