"""Imports and diagnoses as text: the cause first, then the evidence, what helps, and what else it could be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wheelcheck.render import phrases
from wheelcheck.render.layout import WIDTH, command_lines, wrap

if TYPE_CHECKING:
    from wheelcheck.diagnosis.confirmation import Confirmation, ModuleResult
    from wheelcheck.diagnosis.diagnose import Diagnosis
    from wheelcheck.render.style import Style

MAX_EVIDENCE = 4
"""Maximum number of lines for one piece of evidence."""


def confirmation_lines(confirmation: Confirmation, style: Style, width: int = WIDTH) -> Iterator[str]:
    """Yield the outcome for each module, then what was not tried, and with which interpreter."""
    for module in confirmation.modules:
        yield from _module(module, style, width)
    if confirmation.tried:
        python = f" (Python {confirmation.python})" if confirmation.python else ""
        yield style("dim", f"tried with {confirmation.interpreter}{python}")


def reasons(confirmation: Confirmation, style: Style, width: int = WIDTH) -> Iterator[str]:
    """Yield why something was not tried."""
    for why in confirmation.not_tried:
        for line in wrap(f"not tried: {phrases.not_tried(why)}", width):
            yield style("yellow", line)


def _module(module: ModuleResult, style: Style, width: int) -> Iterator[str]:
    name = " ".join(filter(None, [f"import {module.module}", module.version]))
    if module.diagnosis is not None or not module.ok:
        yield f"{name}: {style('red', 'failed')}"
        yield from (f"  {line}" for line in _failure(module, style, width - 2))
        return
    took = f" in {module.seconds:.1f} s" if module.seconds is not None else ""
    yield f"{name}: {style('green', module.level)}{took}{f', from {module.origin}' if module.origin else ''}"
    if module.devices:
        yield f"  devices: {', '.join(module.devices)}"
    for fact, value in module.facts.items():
        yield f"  {fact}: {value}"
    if module.operation_seconds is not None:
        yield f"  operations: {module.operation_seconds:.2f} s"


def _failure(module: ModuleResult, style: Style, width: int) -> Iterator[str]:
    what = [phrases.failure(module.failure)] if module.failure is not None else []
    if module.diagnosis is None:
        yield from _paragraph(what, width)
    else:
        yield from diagnosis_lines(module.diagnosis, style, width, what)


def diagnosis_lines(
    diagnosis: Diagnosis, style: Style, width: int = WIDTH, happened: Iterable[str] = ()
) -> Iterator[str]:
    """Yield the cause with what it means, the evidence, what helps, and what else it could be.

    Args:
        diagnosis: what to tell.
        style: for colours.
        width: of the lines; a command that is longer goes on in the next line.
        happened: sentences on what happened, which are evidence beside the line that decided.
    """
    colour = {"benign": "green", "unrecognised": "yellow"}.get(diagnosis.cause, "red")
    first, *rest = wrap(f"{diagnosis.cause}: {diagnosis.explanation}", width)
    yield f"{style(colour, diagnosis.cause)}{first[len(diagnosis.cause) :]}"
    yield from rest
    line = _squeezed(diagnosis.facts.get("line", ""))
    sentences = [_squeezed(sentence) for sentence in happened]
    # the sentence mostly ends in the line that decided
    evidence = [*([line] if line and not any(line in sentence for sentence in sentences) else []), *sentences]
    for part in evidence:
        yield from (f"  {text}" for text in _paragraph([part], width - 2))
    if diagnosis.fixes:
        yield style("bold", "What helps, the likeliest first:")
        for fix in diagnosis.fixes:
            yield from (f"  {text}" for text in command_lines(fix, width - 2))
    if diagnosis.also:
        yield from wrap(f"It could also be: {phrases.listed(diagnosis.also, 'or')}.", width)


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _paragraph(sentences: Iterable[str], width: int) -> Iterator[str]:
    for sentence in sentences:
        yield from wrap(sentence, width, most=MAX_EVIDENCE)
