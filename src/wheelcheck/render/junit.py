"""Reports as JUnit XML, which CI systems show as test results: one case for each target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from wheelcheck.common.records import replace
from wheelcheck.render.problems import summary_of
from wheelcheck.render.text import render_report

if TYPE_CHECKING:
    from wheelcheck.commands.report import Report, Result

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(report: Report) -> str:
    """Render a report as JUnit XML: a failure for "not compatible", an error for "unknown"."""
    suite = ET.Element("testsuite", name="wheelcheck")
    for result in report.results:
        _case(suite, result, report)
    failed = [result for result in report.results if result.error is None and not result.ok]
    unknown = [result for result in report.results if result.error is not None]
    for name, count in {"tests": report.results, "failures": failed, "errors": unknown, "skipped": ()}.items():
        suite.set(name, str(len(count)))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=False)


def _case(suite: ET.Element, result: Result, report: Report) -> None:
    case = ET.SubElement(suite, "testcase", classname="wheelcheck", name=_text(result.target.name), time="0")
    text = _text(render_report(replace(report, results=(result,)), quiet=not result.ok))
    if result.error is not None:
        error = ET.SubElement(case, "error", message=_text(summary_of(result)), type=result.error.kind)
        error.text = text
    elif not result.ok:
        kind = result.conflict.kind if result.conflict is not None else "NotCompatible"
        failure = ET.SubElement(case, "failure", message=_text(summary_of(result)), type=kind)
        failure.text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _text(text: str) -> str:
    """Return a text without the characters that XML 1.0 does not admit."""
    return _NOT_IN_XML.sub("\ufffd", text)
