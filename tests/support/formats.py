"""The verdict that a reader of each format sees."""

from __future__ import annotations

import json
import re

from junitparser import JUnitXml

from wheelcheck.inputs.options import FORMATS

__all__ = ["FORMATS", "verdict_in"]


def verdict_in(out: str, form: str) -> str:
    """The verdict that a reader of a format sees, for its one target."""
    if form == "text":
        return re.sub(r"^\S+: ", "", out.splitlines()[0])
    if form == "json":
        (result,) = json.loads(out)["results"]
        return "unknown" if result["error"] else "compatible" if result["ok"] else "not compatible"
    if form == "markdown":
        return out.splitlines()[4].split("|")[2].strip(" *")
    if form == "junit":
        (suite,) = JUnitXml.fromstring(out)
        return "unknown" if suite.errors else "not compatible" if suite.failures else "compatible"
    if form == "sarif":
        (run,) = json.loads(out)["runs"]
        return ["compatible", "not compatible", "unknown"][run["invocations"][0]["exitCode"]]
    errors = [line for line in out.splitlines() if line.startswith("::error")]
    unknown = [line for line in errors if re.search(r"title=wheelcheck ", line)]
    return "unknown" if unknown else "not compatible" if errors else "compatible"
