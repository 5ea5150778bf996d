"""Reports as workflow commands of GitHub Actions: an annotation for each problem.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wheelcheck.render.problems import Problem, problems_of

if TYPE_CHECKING:
    from wheelcheck.commands.report import Report

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render_github(report: Report) -> str:
    """Render a report as annotations, with the file and line of the requirement where it has one."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for result in report.results:
        yield from map(_annotation, problems_of(result))
        if result.ok:
            yield f"::notice title=wheelcheck::{_message(f'{result.target.name}: compatible')}"


def _annotation(problem: Problem) -> str:
    about = {"title": f"{problem.project or 'wheelcheck'} ({problem.target})"}
    if problem.location is not None:
        line = {"line": str(problem.location.line)} if problem.location.line is not None else {}
        about = {"file": problem.location.file, **line, **about}
    properties = ",".join(f"{name}={_property(value)}" for name, value in about.items())
    fixes = "".join(f"\nFix: {fix}" for fix in problem.fixes)
    return f"::{COMMANDS[problem.level]} {properties}::{_message(problem.summary + fixes)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
