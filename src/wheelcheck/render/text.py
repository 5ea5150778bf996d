"""Reports as text: for each target the verdict, what is wrong, what would fix it, and the pins that matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from wheelcheck.common.records import field, record, replace
from wheelcheck.render import phrases
from wheelcheck.render.console import harmless
from wheelcheck.render.fixes import PRE_RELEASES, fix_commands, install_commands
from wheelcheck.render.import_text import confirmation_lines, diagnosis_lines, reasons
from wheelcheck.render.layout import MIN_WIDTH, columns, indent, wrap
from wheelcheck.render.problems import COMMAND_LINE, summary_of
from wheelcheck.render.style import Style
from wheelcheck.resolver import compatibility as verdicts
from wheelcheck.resolver import model as outcomes
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.targets.parse import GROUP
from wheelcheck.targets.platform import Windows

if TYPE_CHECKING:
    from wheelcheck.advice.changes import Remedy
    from wheelcheck.advice.concerns import Concern
    from wheelcheck.commands.check_wheels import WheelResult
    from wheelcheck.commands.doctor import Audit
    from wheelcheck.commands.explain import Explanation
    from wheelcheck.commands.report import FromIndex, Report, Result
    from wheelcheck.commands.snapshot import Snapshot
    from wheelcheck.diagnosis.confirmation import Confirmation
    from wheelcheck.diagnosis.diagnose import Diagnosis
    from wheelcheck.index.cache.usage import Contents
    from wheelcheck.rules.model import Rule
    from wheelcheck.targets.presets import Preset
    from wheelcheck.targets.target import Target

NEAREST = 3
"""Maximum number of groups of rejected files in a verbose text; JSON has all."""
MAX_LINES = 2
"""Maximum number of lines of a problem; a verbose text has all of it."""
MAX_TAGS = 5
"""Maximum number of tags of a target that are shown."""
MAX_SPARE = 3
"""Maximum number of pins that are shown although nothing is said of them, instead of counting them."""
MAX_GIVEN = 4
"""Maximum number of pins that the line of a fix names."""
LEVELS = ("warning", "note")


@record(frozen=False, slots=False)
class _Page:
    """How a report is shown, and what of it has been told already.

    Attributes:
        style: width and colours.
        quiet: leave out the pins and the commands that install them.
        verbose: everything, in full.
        several: whether the report is about several targets.
        told: the sentences, rules and commands that a target before this one has shown.
    """

    style: Style
    quiet: bool = False
    verbose: bool = False
    several: bool = False
    told: set[str] = field(default_factory=set)

    @property
    def most(self) -> int | None:
        """Maximum number of lines of a problem."""
        return None if self.verbose else MAX_LINES

    def is_new(self, text: str) -> bool:
        """Return whether a text has not been told yet, and remember it."""
        is_new = text not in self.told
        self.told.add(text)
        return is_new


def render_report(report: Report, *, style: Style | None = None, quiet: bool = False, verbose: bool = False) -> str:
    """Render a report.

    Args:
        report: what to render.
        style: width and colours; left out, 80 columns without colours.
        quiet: leave out the pins, and the commands that install them.
        verbose: show everything in full, and where the answer comes from.
    """
    page = _Page(style=style or Style(), quiet=quiet, verbose=verbose, several=len(report.results) > 1)
    blocks = ["\n".join(_result(result, page)) for result in report.results]
    if page.several and not quiet and not verbose and (lines := list(_common_pins(report.results, page))):
        blocks.append("\n".join(lines))
    if page.several:
        blocks.append("\n".join(_summary(report, page)))
    if verbose:
        blocks.append("\n".join([*_sources(report, page.style), *map(_work, report.results)]))
    return page.style.written("\n\n".join(blocks))


def render_explanation(
    explanation: Explanation, *, style: Style | None = None, quiet: bool = False, verbose: bool = False
) -> str:
    """Render the files of a project. `quiet` leaves out the table, `verbose` gives each file a line."""
    page = _Page(style=style or Style(), quiet=quiet, verbose=verbose)
    lines = [*_explanation(explanation, page), *(() if quiet else _table(explanation, page))]
    lines += _rules(explanation.result.rules, page)
    return page.style.written("\n".join([*lines, *(_sources(explanation, page.style) if verbose else ())]))


def render_diagnosis(diagnosis: Diagnosis, *, style: Style | None = None) -> str:
    """Render the cause, what it means, the line that tells of it, what helps, and what else it could be."""
    style = style or Style()
    return style.written("\n".join(diagnosis_lines(diagnosis, style, style.width)))


def render_confirmation(confirmation: Confirmation, *, style: Style | None = None) -> str:
    """Render the outcome of an import."""
    style = style or Style()
    return style.written(
        "\n".join([*confirmation_lines(confirmation, style, style.width), *reasons(confirmation, style, style.width)])
    )


def render_audit(audit: Audit, *, style: Style | None = None) -> str:
    """Render what is wrong with an environment, and the commands that mend it, in their order."""
    style = style or Style()
    return style.written("\n".join(_audit(audit, style)))


def _audit(audit: Audit, style: Style) -> Iterator[str]:
    target, number = audit.environment.target, len({one.name for one in audit.environment.distributions})
    verdict = style("green", "well") if audit.ok else style("red", phrases.counted(len(audit.findings), "finding"))
    yield f"{style('bold', target.interpreter or target.name)}: {verdict}"
    about = f"{target_line(replace(target, interpreter=None))}; {phrases.counted(number, 'distribution')}"
    yield from (style("dim", line) for line in style.paragraph(about))
    for one in audit.findings:
        yield from style.labelled("red", f"{one.kind}: ", one.message)
    if audit.commands:
        yield style("bold", "What mends it, in this order:")
        for command in audit.commands:
            yield from indent(style.command(command, 2, whole=isinstance(target.platform, Windows)))


def render_wheels(results: Sequence[WheelResult], where: str) -> str:
    """Render what was found out about built wheels for one target."""
    page = _Page(style=Style(), quiet=True)
    return page.style.written("\n".join(line for result in results for line in _wheels(result, where, page)))


def _wheels(result: WheelResult, where: str, page: _Page) -> Iterator[str]:
    if result.result is not None and result.best is not None:
        yield f"{result.best.name} fits; its dependencies:"
        yield from _result(result.result, page)
        return
    yield f"{_label(result.target, page.style)}: not covered"
    yield from _about_target(result.target, page)
    yield from page.style.paragraph(f"No wheel of {result.project} in {where} fits. The nearest:")
    for group in list(_groups([judged.refused(result.target) for judged in result.files]))[:NEAREST]:
        yield from _nearest(group, result.target, page, by=4)


def _about_target(target: Target, page: _Page) -> Iterator[str]:
    yield from (page.style("dim", line) for line in page.style.paragraph(target_line(target)))


def _explanation(explanation: Explanation, page: _Page) -> Iterator[str]:
    """Yield the verdict, what would be chosen or why nothing would be, and the closest file."""
    style = page.style
    yield f"{_label(explanation.target, style)}: {_verdict(explanation.result, style)}"
    yield from _about_target(explanation.target, page)
    if explanation.error is not None:
        yield from style.paragraph(str(explanation.error))
    if explanation.result.conflict is not None:
        yield from _refusal(explanation.result.conflict, explanation.target, page)
    if explanation.best is not None:
        best = explanation.best
        yield from style.paragraph(f"{explanation.project} {best.version} fits best: {best.file.filename}")
    if explanation.nearest is not None:
        label = "Nearest" if explanation.result.conflict else "Nearest of what is newer"
        yield from _nearest([explanation.nearest], explanation.target, page, label=f"{label}: ")
    yield from _concerns(explanation.result, page)


def _table(explanation: Explanation, page: _Page) -> Iterator[str]:
    from wheelcheck.render.table import table

    if explanation.files:
        extent = phrases.extent(explanation.files, explanation.demands)
        yield from (page.style("dim", line) for line in page.style.paragraph(extent))
        yield from indent(table(explanation.files, every=page.verbose, width=page.style.width - 4), 4)


def _result(result: Result, page: _Page) -> Iterator[str]:
    """Yield the answer for one target, the worst first; its sections stand apart where there is only one target."""
    head = [*_headed_by_name(result, page.style), *_about_target(result.target, page)]
    sections = (_wrong(result, page), _rules(result.rules, page), _remedies(result, page), _imported(result, page))
    has_pins = result.pins and result.conflict is None and not page.quiet and (page.verbose or not page.several)
    chosen = (_pins(result, page), _installation(result, page)) if has_pins else ()
    for number, section in enumerate((head, *sections, *chosen, _staying(result, page))):
        lines = list(section)
        if lines and number and not page.several:
            yield ""
        yield from lines


def _wrong(result: Result, page: _Page) -> Iterator[str]:
    problems = [*_problems(result, page)]
    if problems:
        is_wrong = not result.ok or any(concern.level == "warning" for concern in result.concerns)
        yield page.style("bold", "What is wrong" if is_wrong else "What to know")
        yield from problems


def _imported(result: Result, page: _Page) -> Iterator[str]:
    if result.confirmation is not None and result.confirmation.ok:
        yield page.style("bold", "Imported")
        yield from indent(confirmation_lines(result.confirmation, page.style, page.style.width - 2))


def _staying(result: Result, page: _Page) -> Iterator[str]:
    if result.satisfied and not page.quiet:
        there = phrases.listed(f"{one.name} {one.version}" for one in result.satisfied)
        yield from page.style.paragraph(f"Installed already, and stays: {there}", by=0, most=page.most)


def _headed_by_name(result: Result, style: Style) -> Iterator[str]:
    verdict = _verdict(result, style)
    more = _but(result) if result.ok else ""
    yield f"{_label(result.target, style)}: {verdict}{more}"


def _label(target: Target, style: Style) -> str:
    """Return the name of a target, after that of its preset."""
    if target.preset is None:
        return style("bold", target.name)
    return f"{style('bold', target.preset)} ({target.name})"


def _short(target: Target) -> str:
    return target.preset or target.name


def _but(result: Result) -> str:
    """Return what the worst warning does to a "compatible", as the end of a sentence."""
    warned = [concern for concern in result.concerns if concern.level == "warning"]
    kinds = {concern.kind for concern in warned}
    asked = {pin.name for pin in result.pins if pin.requested}
    if "Translated" in kinds:
        return ", but with the wrong interpreter"
    if any(one.kind == "PreRelease" and getattr(one, "project", None) in asked for one in warned):
        return ", but only with a pre-release"
    if any(one.kind == "Stale" and getattr(one, "project", None) in asked for one in warned):
        return ", but only with an old release"
    return f", with {phrases.counted(len(phrases.groups(warned, result.pins)), 'warning')}" if warned else ""


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


# -- the pins


def _pins(result: Result, page: _Page) -> Iterator[str]:
    """Yield the pins that were requested or that something is said of; verbose, all with their files."""
    yield page.style("bold", "Pins")
    width = page.style.width - 2
    if page.verbose:
        rows = [(_extended(pin), str(pin.version), f"{pin.file.filename} {_wanted(pin)}") for pin in result.pins]
        yield from indent(columns(rows, width))
        return
    shown = _telling(result)
    if len(result.pins) - len(shown) <= MAX_SPARE:
        shown += [pin for pin in result.pins if pin not in shown]
    rows = [(_extended(pin), str(pin.version), _wanted(pin, most=3)) for pin in shown]
    yield from indent(columns(rows, width))
    if len(result.pins) > len(shown):
        yield page.style("dim", f"  and {len(result.pins) - len(shown)} more; -v shows them")


def _telling(result: Result) -> list[outcomes.Pin]:
    """Return the pins that were requested or that something is said of, the requested ones first."""
    telling = ("PreRelease", "NightlyDependency", "Stale", "Yanked", "SourceOnly", "HeldBack", "PredictedBreak")
    about = {getattr(one, "project", None) for one in result.concerns if one.kind in telling}
    shown = [pin for pin in result.pins if pin.requested or pin.rules or pin.name in about]
    return sorted(shown, key=lambda pin: not pin.requested)


def _extended(pin: outcomes.Pin) -> str:
    return f"{pin.name}[{','.join(pin.extras)}]" if pin.extras else str(pin.name)


def _wanted(pin: outcomes.Pin, most: int | None = None) -> str:
    wanted = ["requested"] if pin.requested else []
    if pin.needed_by:
        users = list(pin.needed_by)
        if most is not None and len(users) > most:
            users = [*users[: most - 1], canonicalize_name(f"{len(users) - most + 1} others")]
        wanted.append(f"required by {phrases.listed(users)}")
    return "; ".join(wanted)


def _installation(result: Result, page: _Page) -> Iterator[str]:
    """Yield the command that installs the answer."""
    unasked = [str(getattr(one, "project", "")) for one in result.concerns if one.kind in PRE_RELEASES]
    is_final = result.ok and not result.remedies and not result.satisfied
    commands = install_commands(result.pins, result.target, unasked) if is_final else ()
    if commands:
        yield page.style("bold", "Install it")
        for command in commands:
            yield from indent(page.style.command(command, 2, whole=isinstance(result.target.platform, Windows)))


def _common_pins(results: Sequence[Result], page: _Page) -> Iterator[str]:
    """Yield the pins of several targets: those alike everywhere in one paragraph, the others in a table."""
    answered = [result for result in results if result.pins]
    shown = {pin.name: pin for result in reversed(answered) for pin in _telling(result)}
    chosen = {name: [_chosen(result, name) for result in answered] for name in sorted(shown)}
    alike = [f"{_extended(shown[name])} {versions[0]}" for name, versions in chosen.items() if len(set(versions)) == 1]
    total = {pin.name for result in answered for pin in result.pins}
    if not shown:
        return
    yield page.style("bold", "Pins")
    if alike:
        where = "everywhere" if len(answered) == len(results) else "wherever there is an answer"
        yield from page.style.paragraph(f"{where}: {', '.join(alike)}")
    rows: list[tuple[str, ...]] = []
    for name, versions in chosen.items():
        if len(set(versions)) > 1:
            by_version = {
                version: [_short(result.target) for result, v in zip(answered, versions, strict=True) if v == version]
                for version in dict.fromkeys(versions)
            }
            told = "; ".join(f"{version} on {phrases.listed(names)}" for version, names in by_version.items())
            rows.append((_extended(shown[name]), told))
    yield from indent(columns(rows, page.style.width - 2))
    if len(total) > len(shown):
        yield page.style("dim", f"  and {phrases.counted(len(total) - len(shown), 'other project')}; -v shows them")


def _chosen(result: Result, name: str) -> str:
    return next((str(pin.version) for pin in result.pins if pin.name == name), "nothing")


def _summary(report: Report, page: _Page) -> Iterator[str]:
    """Yield a line for each target."""
    style = page.style
    yield style("bold", "Summary")
    longest = max(len(_short(result.target)) for result in report.results)
    for result in report.results:
        verdict = _verdict(result, Style())
        about = f"{verdict}{_but(result) if result.ok else f': {_in_short(result)}'}"
        room = style.width - longest - 4
        if room < MIN_WIDTH:
            yield from style.paragraph(f"{_short(result.target)} {about}")
            continue
        (line,) = wrap(about, room, most=1)
        yield f"  {_short(result.target).ljust(longest)}  {_verdict(result, style)}{line[len(verdict) :]}"


def _in_short(result: Result) -> str:
    """Return why there is no answer in a few words."""
    match result.conflict:
        case outcomes.NoCompatibleFile(project=project):
            return f"no file of {project} fits"
        case outcomes.Conflict(project=project):
            return f"the requirements on {project} conflict"
    return summary_of(result)


# -- what is wrong


def _problems(result: Result, page: _Page) -> Iterator[str]:
    """Yield what is wrong with an answer, worst first."""
    if result.error is not None:
        yield from page.style.paragraph(str(result.error), most=None)
    if result.conflict is not None:
        yield from _conflict(result.conflict, result.target, page)
    if result.confirmation is not None and not result.confirmation.ok:
        yield from indent(confirmation_lines(result.confirmation, page.style, page.style.width - 2))
    for demand in result.skipped:
        left_out = f"{demand.shown} is left out: its marker does not hold for this target."
        yield from page.style.labelled("bold", "note: ", left_out, most=page.most)
    yield from _concerns(result, page)


def _refusal(conflict: outcomes.NoAnswer, target: Target, page: _Page) -> Iterator[str]:
    """Yield why there is no answer, with the demands."""
    yield from (page.style("red", line) for line in page.style.paragraph(phrases.conflict(conflict, target)))
    rows = [(demand.shown, phrases.origin(demand)) for demand in conflict.demands]
    if rows != [(conflict.project, f"requested on {COMMAND_LINE}")]:  # which goes without saying
        yield from indent(columns(rows, page.style.width - 4), 4)


def _conflict(conflict: outcomes.NoAnswer, target: Target, page: _Page) -> Iterator[str]:
    yield from _refusal(conflict, target, page)
    groups = list(_groups(conflict.files))
    worth_naming = _worth_naming(groups)
    if not page.verbose:
        told = [place for place in worth_naming if groups[place][0].reasons]
        wheels = [place for place in told if not _is_source(groups[place])]
        worth_naming = (wheels or told)[:1]
    elif groups:
        yield "  What each side offers:" if isinstance(conflict, outcomes.Conflict) else "  The nearest files:"
    for place in worth_naming:
        label = "" if page.verbose else "nearest: "
        yield from _nearest(groups[place], target, page, by=4 if page.verbose else 2, label=label)
    left = [file for place, files in enumerate(groups) if place not in worth_naming for file in files]
    if left:
        where = "" if target.interpreter else f" -t {_short(target)}"
        shown = " and ".join(f"wheelcheck explain {name}{where}" for name in _projects(left, conflict))
        more = f"{phrases.counted(len(left), 'more file')}: {shown}"
        yield from (page.style("dim", line) for line in page.style.paragraph(more))


def _groups(files: Iterable[outcomes.RefusedFile]) -> Iterator[list[outcomes.RefusedFile]]:
    """Group files that are shown together, closest first."""
    for _, group in groupby(files, lambda file: file.likeness):
        yield list(group)


def _worth_naming(groups: Sequence[list[outcomes.RefusedFile]]) -> list[int]:
    """Return the positions of the closest groups, with at most one of source distributions if there are enough
    others.
    """
    sources = [place for place, files in enumerate(groups) if _is_source(files)]
    spare = sources[max(1, NEAREST - len(groups) + len(sources)) :]
    return [place for place in range(len(groups)) if place not in spare][:NEAREST]


def _is_source(files: Sequence[outcomes.RefusedFile]) -> bool:
    return [*map(type, files[0].reasons)] == [verdicts.SourceOnly]


def _projects(files: Sequence[outcomes.RefusedFile], conflict: outcomes.NoAnswer) -> list[str]:
    """Return the projects of files, by their names."""
    names = sorted({str(conflict.project), *(str(demand.name) for demand in conflict.demands)}, key=len, reverse=True)
    of = (
        next((n for n in names if canonicalize_name(f.filename).startswith(f"{n}-")), conflict.project) for f in files
    )
    return list(dict.fromkeys(map(str, of)))


def _nearest(
    files: Sequence[outcomes.RefusedFile], target: Target, page: _Page, *, by: int = 2, label: str = ""
) -> Iterator[str]:
    """Yield files with the same reasons: what of all of them matches, and what does not."""
    first = files[0]
    of = f"of {first.version}" if all(file.version == first.version for file in files) else "of other versions"
    more = f" and {len(files) - 1} more{f' {of}' if first.version else ''}" if len(files) > 1 else ""
    yield from page.style.paragraph(f"{label}{first.filename}{more}", by=by)
    common = tuple(axis for axis in first.fits if all(axis in file.fits for file in files))
    fits = phrases.fits(common, target) if first.reasons else phrases.LEFT_OUT
    if fits and (page.verbose or not first.reasons):
        yield from page.style.paragraph(fits, by=by + 2)
        fits = ""
    for why, reason in zip(phrases.joined_reasons(files), first.reasons, strict=True):
        page.told.add(why)
        # of a rule, the rest is in what `rules show` tells
        most = page.most if isinstance(reason, verdicts.ForbiddenByRule) else None
        yield from page.style.paragraph(f"{fits}, but: {why}" if fits else why, by=by + 2, most=most)
        fits = ""


def _concerns(result: Result, page: _Page) -> Iterator[str]:
    """Yield a paragraph for each concern, worst first; many similar ones about transitive dependencies share one."""
    above: list[str] = []
    for group in phrases.groups(result.concerns, result.pins):
        sentence = phrases.about(group)
        if page.is_new(sentence):
            yield from _levelled(group[0], sentence, page)
        else:
            above.append(group[0].level)
    if above:
        counts = (phrases.counted(above.count(level), level) for level in LEVELS if level in above)
        yield page.style("dim", f"  and {phrases.listed(counts)} as above")


def _levelled(concern: Concern, sentence: str, page: _Page, by: int = 2) -> list[str]:
    colour = "yellow" if concern.level == "warning" else "bold"
    return page.style.labelled(colour, f"{concern.level}: ", sentence, by=by, most=page.most)


def _rules(rules: Sequence[Rule], page: _Page) -> Iterator[str]:
    """Yield the rules that had a part in an answer, each once in a report; verbose, with reasons and sources."""
    new = [rule for rule in rules if page.is_new(f"rule {rule.id}")]
    if not new:
        return
    about = (
        "Rules (--ignore ID leaves one out)"
        if page.verbose
        else "Rules (wheelcheck rules show ID; --ignore ID leaves one out)"
    )
    yield page.style("bold", about)
    for rule in new:
        is_told = any(rule.why.rstrip(phrases.CLOSING) in text for text in page.told)
        why = "" if is_told and not page.verbose else f": {rule.why}"
        yield from page.style.paragraph(f"{rule.id}{why}", most=page.most)
        for source in rule.sources if page.verbose else ():
            lines = page.style.paragraph(f"source: {phrases.sourced(source)}", by=4)
            yield from (page.style("dim", line) for line in lines)


# -- what would fix it


def _remedies(result: Result, page: _Page) -> Iterator[str]:
    """Yield each remedy with the pins of the requested projects, its commands, and the warnings that it introduces."""
    style = page.style
    if result.remedies:
        yield style("bold", "Fixes (each was re-resolved)")
    for number, remedy in enumerate(result.remedies, 1):
        change = f"{number}. {phrases.change(remedy.change)}: {_given(remedy, page)}"
        yield from style.paragraph(change, hang=3, most=page.most)
        for command in fix_commands(remedy, result.target) if page.verbose or not page.several else ():
            if page.is_new(command):
                is_whole = isinstance(result.target.platform, Windows)
                yield from indent(style.command(command, 7, whole=is_whole), 7)
        for group in phrases.groups(remedy.concerns, remedy.pins):
            yield from _levelled(group[0], phrases.about(group), page, by=5)
    if not result.has_all_remedies:
        yield style("dim", "There was no time to try every possible fix.")
    elif result.sought_remedies and not result.remedies and not isinstance(result.conflict, outcomes.Missing | None):
        yield style("dim", "No change that was tried fixes it.")


def _given(remedy: Remedy, page: _Page) -> str:
    """Return the pins of the requested projects, or some of them."""
    given = [f"{pin.name} {pin.version}" for pin in remedy.pins if pin.requested]
    if not page.verbose and len(given) > MAX_GIVEN:
        given = [*given[: MAX_GIVEN - 1], f"{len(given) - MAX_GIVEN + 1} more"]
    return phrases.listed(given)


def _sources(report: FromIndex, style: Style) -> Iterator[str]:
    counted = report.counters
    yield f"requests: {counted.requests}; bytes: {counted.bytes}; answers from the cache: {counted.cached}"
    for source in report.sources:
        yield from style.paragraph(f"index: {source}")
    if report.exclude_newer:
        yield from style.paragraph(f"left out: what was uploaded at {report.exclude_newer} or later")
    for one in report.applied:
        yield from style.paragraph(f"from pip's configuration: {one.option} = {one.value} ({one.source})")


def _work(result: Result) -> str:
    work = result.resolution
    if work is None:
        return f"  {result.target.name}: nothing was resolved"
    return f"  {result.target.name}: rounds: {work.rounds}; candidates: {work.candidates}; metadata: {work.metadata}"


def render_contents(held: Contents, *, cleared: bool) -> str:
    """Render the contents of the cache, or what it held before it was cleared."""
    amounts = {"answers of indexes": held.answers, "wheels": held.wheels, "environments": held.environments}
    rows = [f"  {kind}: {amount.number}, {amount.bytes / 1e6:.1f} MB" for kind, amount in amounts.items()]
    return harmless("\n".join([f"{held.directory}{' was cleared; it held' if cleared else ''}", *rows]))


def render_snapshot(snapshot: Snapshot) -> str:
    """Render what was recorded, and the answers that it reproduces."""
    pages = f"the pages of {snapshot.projects} projects, which list {snapshot.files} files"
    size = f"{pages}, in {snapshot.bytes / 1e6:.1f} MB"
    lines = [f"{snapshot.directory} holds what the answer needs: {size}."]
    if snapshot.missing:
        lines.append(f"  not on any index: {', '.join(snapshot.missing)}")
    lines += [
        f"  {result.target.name}  {'compatible' if result.ok else 'not compatible'}" for result in snapshot.results
    ]
    return harmless("\n".join(lines))


def render_target(target: Target, *, verbose: bool = False, style: Style | None = None) -> str:
    """Render one target: its description, its marker variables, its best tags; `verbose` shows all tags."""
    style = style or Style()
    lines = [_label(target, style), *style.paragraph(target_line(target)), "  markers:"]
    lines += [f"    {name} = {value!r}" for name, value in sorted(target.environment.items())]
    shown = target.tags if verbose else target.tags[:MAX_TAGS]
    lines += [f"  tags, best first ({len(target.tags)}):", *(f"    {tag}" for tag in shown)]
    if len(shown) < len(target.tags):
        more = f"and {len(target.tags) - len(shown)} more, down to {target.tags[-1]}; -v shows them"
        lines += style.paragraph(more, by=4)
    return style.written("\n".join(lines))


def render_presets(presets: Iterable[Preset], *, verbose: bool = False, style: Style | None = None) -> str:
    """Render presets: each with its platform, its Python and what it is; `verbose` adds where that is from."""
    style = style or Style()
    lines: list[str] = []
    for group, members in groupby(presets, lambda preset: preset.group):
        lines.append(style("bold", f"{GROUP}{group}"))
        rows: list[tuple[str, ...]] = []
        for preset in members:
            python = f"Python {preset.python}" if preset.python else "-"
            source = f" ({preset.source}, {preset.date})" if verbose else ""
            rows.append((preset.name, preset.platform, python, f"{preset.about}{source}"))
        lines += indent(columns(rows, style.width - 2))
    return style.written("\n".join(lines))


def render_preset_names(presets: Iterable[Preset], *, style: Style | None = None) -> str:
    """Render the names of presets by group, with what to type for more."""
    style = style or Style()
    lines: list[str] = []
    for group, members in groupby(presets, lambda preset: preset.group):
        lines += style.labelled("bold", f"{GROUP}{group}: ", ", ".join(preset.name for preset in members), by=0)
    more = "targets list WORD tells more of those with a word in the name; --target takes a name or a group"
    return style.written("\n".join([*lines, *(style("dim", line) for line in style.paragraph(more, by=0, hang=0))]))
