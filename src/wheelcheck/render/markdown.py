"""Reports as Markdown, for job summaries and comments: a table of verdicts, then what is wrong, then the pins."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wheelcheck.render.problems import Problem, problems_of, summary_of

if TYPE_CHECKING:
    from wheelcheck.commands.report import Report, Result

SIGNS = {"error": "**error**", "warning": "warning", "note": "note"}


def render_markdown(report: Report) -> str:
    """Render a report as GitHub-flavoured Markdown."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield from ("## wheelcheck", "", "| target | verdict | reason |", "|---|---|---|")
    for result in report.results:
        yield f"| {_code(result.target.name)} | {_verdict(result)} | {_escaped(summary_of(result))} |"
    for result in report.results:
        yield from _details(result)


def _verdict(result: Result) -> str:
    if result.error is not None:
        return "unknown"
    return "compatible" if result.ok else "**not compatible**"


def _details(result: Result) -> Iterator[str]:
    problems = problems_of(result)
    if problems:
        yield from ("", f"### {_code(result.target.name)}", "")
        for problem in problems:
            yield from _problem(problem)
    if result.pins and result.conflict is None:
        yield from ("", f"<details><summary>{len(result.pins)} pins for {_html(result.target.name)}</summary>", "")
        yield from ("| project | version | file |", "|---|---|---|")
        for pin in result.pins:
            yield f"| {_code(str(pin.name))} | {_code(str(pin.version))} | {_code(pin.file.filename)} |"
        yield from ("", "</details>")


def _problem(problem: Problem) -> Iterator[str]:
    yield f"- {SIGNS[problem.level]} {_escaped(problem.summary)}"
    yield from (f"  - fix: {_code(fix)}" for fix in problem.fixes)


def _html(text: str) -> str:
    return html.escape(text, quote=False)


def _escaped(text: str) -> str:
    """Return a text of anybody's making that shows as it is."""
    return re.sub(r"([\\`*_{}\[\]|~#@$])", r"\\\1", _html(text)).replace("\n", " ")


def _code(text: str) -> str:
    """Return a code span; a pipe would end a cell of a table."""
    text = text.replace("\n", " ").replace("|", "\\|")
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if len(ticks) > 1 else ""
    return f"{ticks}{space}{text}{space}{ticks}"
