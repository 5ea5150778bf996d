"""Reports as SARIF 2.1.0, for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from wheelcheck._version import __version__
from wheelcheck.render.problems import Location, Problem, problems_of

if TYPE_CHECKING:
    from wheelcheck.commands.report import Report
    from wheelcheck.common.records import Plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(report: Report) -> str:
    """Render a report as a SARIF log: one run, a result for each problem, a rule for each kind."""
    problems = [problem for result in report.results for problem in problems_of(result)]
    kinds = list(dict.fromkeys(problem.kind for problem in problems))
    driver: Plain = {
        "name": "wheelcheck",
        "version": __version__,
        "semanticVersion": re.sub(r"\.?dev(\d+)$", r"-dev.\1", __version__),
        "rules": [{"id": kind, "shortDescription": {"text": _words(kind)}} for kind in kinds],
    }
    is_known = all(result.error is None for result in report.results)
    run: Plain = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": is_known, "exitCode": report.exit_code}],
        "results": [_result(problem, kinds.index(problem.kind)) for problem in problems],
        "properties": {
            "ok": report.ok,
            "targets": [{"name": result.target.name, "ok": result.ok} for result in report.results],
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(problem: Problem, rule: int) -> Plain:
    fixes = "".join(f"\nFix: {fix}" for fix in problem.fixes)
    where: dict[str, Plain] = {"logicalLocations": [{"name": problem.target, "kind": "target"}]}
    if problem.location is not None:
        where["physicalLocation"] = _physical(problem.location)
    return {
        "ruleId": problem.kind,
        "ruleIndex": rule,
        "level": problem.level,
        "message": {"text": f"{problem.target}: {problem.summary}{fixes}"},
        "locations": [where],
    }


def _physical(location: Location) -> Plain:
    path = PurePath(location.file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    region: dict[str, Plain] = {"region": {"startLine": location.line}} if location.line is not None else {}
    return {"artifactLocation": {"uri": uri}, **region}


def _words(kind: str) -> str:
    """Return a kind in words: ``NoCompatibleFile`` is "No compatible file"."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda match: f" {match[0].lower()}", kind).replace("-", " ")
