"""Curated rules as text: a list, one in full, and their comparison with an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wheelcheck.render.phrases import listed, sourced
from wheelcheck.render.style import Style
from wheelcheck.rules import audit as audits

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelcheck.commands.verify_rules import Uncovered, Verification
    from wheelcheck.rules.audit import Audit, Beside, Finding
    from wheelcheck.rules.model import Rule

MAX_NAMED = 6
"""Maximum number of versions in a line."""


def render_rules(rules: Iterable[Rule], *, style: Style | None = None) -> str:
    """Return a line for each rule: its id and the reason."""
    style = style or Style()
    lines = (line for rule in rules for line in style.labelled("bold", f"{rule.id}: ", rule.why, by=0))
    return style.written("\n".join(lines))


def render_rule(looked: Audit, *, style: Style | None = None) -> str:
    """Return one rule in full, beside the index's metadata."""
    rule, style = looked.rule, style or Style()
    effect = " ".join([rule.effect.value, *(f"{requirement}" for requirement in rule.requirements)])
    lines = [
        f"{rule.project} {rule.versions}: {effect}",
        *(f"when {name}: {value}" for name, value in rule.when.items()),
        f"why: {rule.why}",
        f"evidence: {rule.evidence}, {rule.confidence}",
        *(f"source: {sourced(source)}" for source in rule.sources),
        *(f"index: {line}" for line in _beside(looked)),
    ]
    paragraphs = (line for text in lines for line in style.paragraph(text))
    return style.written("\n".join([style("bold", rule.id), *paragraphs]))


def render_verification(found: Verification, *, verbose: bool = False, style: Style | None = None) -> str:
    """Return the stale and unknown rules with what to do, or all of them, then the releases that nothing covers."""
    style = style or Style()
    shown = [audit for audit in found.audits if verbose or audit.findings]
    lines = [line for audit in shown for line in _audited(audit)]
    lines += [line for project in found.uncovered for line in _uncovered(project)]
    paragraphs = (part for line in [*lines, _counted(found)] for part in _wrapped(line, style))
    return style.written("\n".join(paragraphs))


def _wrapped(line: str, style: Style) -> list[str]:
    return style.paragraph(line, by=len(line) - len(line.lstrip()))


def _beside(looked: Audit) -> Iterator[str]:
    if looked.covered:
        yield f"The rule covers {_number(len(looked.covered), 'listed version')}, the newest {looked.covered[0]}."
    yield from (_said(one, listed(sorted(looked.rule.names - {looked.rule.project}))) for one in looked.beside)
    for finding in looked.findings:
        yield _why(looked, finding)


def _said(beside: Beside, others: str) -> str:
    if beside.requirements is None:
        return f"The metadata of {beside.filename} cannot be used."
    if beside.requirements:
        return f"The metadata of {beside.filename} requires {listed(beside.requirements)}."
    if others:
        return f"The metadata of {beside.filename} says nothing of {others}."
    return f"{beside.filename} fits {beside.target} by its tags and metadata."


def _audited(audit: Audit) -> Iterator[str]:
    yield f"{audit.rule.id}: {audit.state}"
    for line in _beside(audit):
        yield f"  {line}"
    if audit.difference is not None:
        without, with_it = _answer(audit.difference.before), _answer(audit.difference.after)
        yield f"  {audit.difference.question}: {without} without the rule, {with_it} with it."
    yield from (f"  {advice}" for finding in audit.findings for advice in _advice(finding))


def _answer(pins: Mapping[str, str] | None) -> str:
    if pins is None:
        return "no answer"
    named = [f"{name} {version}" for name, version in sorted(pins.items())]
    more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    return ", ".join(named[:MAX_NAMED]) + more or "nothing else"


def _why(audit: Audit, finding: Finding) -> str:
    match finding:
        case audits.NoVersion():
            return f"No version of {audit.rule.project} on the index is among {audit.rule.versions}."
        case audits.AlreadyInMetadata():
            return f"The metadata of {_versions(finding.versions)} admits no published version that the rule refuses."
        case audits.NoDifference():
            return f"The answer is the same without the rule: {listed(finding.questions)}."
        case audits.NoFile():
            return "No file of these versions fits a usual target that the rule is about."
        case audits.NoAnswer():
            return f"There is no answer with the rule or without: {listed(finding.questions)}."
        case audits.NotTold():
            return finding.why


def _advice(finding: Finding) -> Iterator[str]:
    match finding:
        case audits.NoVersion():
            yield "Correct its versions, or remove it."
        case audits.AlreadyInMetadata():
            yield "Remove it, or narrow its versions to those whose metadata does not say it."
        case audits.NoDifference():
            yield "Remove it, or narrow it to where it decides something."
        case audits.NotTold():
            yield "Run this again when the index can be reached."


def _uncovered(found: Uncovered) -> Iterator[str]:
    spans = [span for spans in (found.new, found.old) for span in spans]
    number = _number(sum(map(len, spans)), "release")
    yield f"{found.project}: neither a rule nor an import run covers {number}: {_versions(map(_span, spans))}."
    if found.new:
        added = _versions(map(_span, found.new))
        yield f"  {added} came after its rules were last examined ({found.since}): try whether it works."


def _span(versions: Sequence[Version]) -> str:
    """Return releases in a row, newest first, as one range."""
    return str(versions[0]) if len(versions) == 1 else f"{versions[-1]} to {versions[0]}"


def _counted(found: Verification) -> str:
    states = Counter(audit.state for audit in found.audits)
    compared = f"{_number(len(found.audits), 'rule')} compared with {listed(found.sources)}"
    hold = f"{states['holds']} hold{'s' * (states['holds'] == 1)}"
    return f"{compared}: {hold}, {states['stale']} stale, {states['unknown']} unknown."


def _versions(versions: Iterable[object]) -> str:
    named = list(map(str, versions))
    more = [f"{len(named) - MAX_NAMED} more"] if len(named) > MAX_NAMED else []
    return listed([*named[:MAX_NAMED], *more])


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
