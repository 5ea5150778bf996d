"""The formats for CI carry the verdict of the report, say where and why, and hold whatever text an index gives."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import Draft4Validator
from junitparser import Error, Failure, JUnitXml

import wheelcheck
from doors import LINUX, MAC, PROJECTS, stand_alone
from formats import FORMATS, verdict_in
from loopback import Server, simple_index, status
from wheelcheck.cli.main import main
from wheelcheck.render.github import render_github
from wheelcheck.render.junit import render_junit
from wheelcheck.render.markdown import render_markdown
from wheelcheck.render.problems import Location, Problem, problems_of, summary_of
from wheelcheck.render.sarif import render_sarif

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelcheck.commands.report import Report

SCHEMA = os.environ.get("WHEELCHECK_SARIF_SCHEMA")
"""The file with the schema of SARIF 2.1.0; ``.ci/run`` fetches it."""


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    stand_alone(monkeypatch, tmp_path)
    with simple_index(PROJECTS) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


def report_of(text: str, **options: bool) -> Report:
    """The report on a requirements file for two targets."""
    Path("wanted.txt").write_text(text)
    return wheelcheck.check(requirement=["wanted.txt"], targets=[LINUX, MAC], **options)


def test_problems_have_a_place_a_project_and_a_reason(index: Server) -> None:
    linux, mac = report_of("alone\n# for the Mac\nonlymac\n").results
    (problem,) = problems_of(linux)
    assert (problem.level, problem.kind, problem.project) == ("error", "NoCompatibleFile", "onlymac")
    assert problem.location == Location(file="wanted.txt", line=3)
    assert summary_of(linux).startswith(f"onlymac: no file fits {LINUX}; the nearest, onlymac-1.0-")
    assert problems_of(mac) == []
    assert summary_of(mac) == ""


def test_a_concern_is_placed_where_what_leads_to_it_is_requested(index: Server) -> None:
    linux, _ = report_of("alone\ncandidate\n").results
    (problem,) = problems_of(linux)
    assert (problem.level, problem.kind, problem.location) == (
        "warning",
        "PreRelease",
        Location(file="wanted.txt", line=2),
    )
    (problem,) = problems_of(report_of("candidate\n", strict=True).results[0])
    assert problem.level == "error"


def test_a_conflict_shows_both_sides(index: Server) -> None:
    assert summary_of(report_of("spam==1.0\neggs>=2\n").results[0]) == (
        "eggs: the requirements conflict: eggs>=2 (requested in wanted.txt, line 2), eggs<2 (required by spam 1.0) and "
        "spam==1.0 (requested in wanted.txt, line 1)"
    )


def test_github(index: Server) -> None:
    lines = render_github(report_of("alone\nonlymac\n")).splitlines()
    assert lines[0].startswith(f"::error file=wanted.txt,line=2,title=onlymac ({LINUX})::onlymac: no file fits")
    assert lines[1:] == [f"::notice title=wheelcheck::{MAC}: compatible"]


def test_github_without_a_file_for_the_command_line(index: Server) -> None:
    (line,) = render_github(wheelcheck.check(["onlymac"], targets=[LINUX])).splitlines()
    assert line.startswith(f"::error title=onlymac ({LINUX})::onlymac: no file fits")


def test_junit(index: Server) -> None:
    index.fault("/simple/alone/", status(503))
    (suite,) = JUnitXml.fromstring(render_junit(report_of("onlymac\n")))
    assert (suite.tests, suite.failures, suite.errors) == (2, 1, 0)
    linux, mac = suite
    assert (linux.name, linux.classname) == (LINUX, "wheelcheck")
    (failure,) = linux.result
    assert isinstance(failure, Failure)
    assert failure.message.startswith("onlymac: no file fits")
    assert "onlymac has no file compatible with" in failure.text
    assert mac.is_passed
    (suite,) = JUnitXml.fromstring(render_junit(report_of("alone\n")))
    assert (suite.tests, suite.failures, suite.errors) == (2, 0, 2)
    assert isinstance(next(iter(suite)).result[0], Error)


def test_sarif(index: Server) -> None:
    (run,) = json.loads(render_sarif(report_of("alone\nonlymac\n")))["runs"]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    assert run["properties"]["ok"] is False
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "NoCompatibleFile"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "wanted.txt"}, "region": {"startLine": 2}}
    assert result["message"]["text"].startswith(f"{LINUX}: onlymac: no file fits")


@pytest.mark.skipif(SCHEMA is None, reason="WHEELCHECK_SARIF_SCHEMA names no schema; .ci/run fetches it")
@pytest.mark.parametrize(
    "text", ["alone\nonlymac\n", "alone\n", "candidate\n", "nosuchproject\n", "spam==1.0\neggs>=2\n"]
)
def test_sarif_is_valid(index: Server, text: str) -> None:
    schema = json.loads(Path(str(SCHEMA)).read_text("utf-8"))
    document = json.loads(render_sarif(report_of(text)))
    assert [error.message for error in Draft4Validator(schema).iter_errors(document)] == []


def test_markdown(index: Server) -> None:
    lines = render_markdown(report_of("alone\nonlymac\n")).splitlines()
    assert lines[2] == "| target | verdict | reason |"
    assert lines[4].startswith(
        f"| `{LINUX}` | **not compatible** | onlymac: no file fits {LINUX.replace('_', chr(92) + '_')}"
    )
    assert lines[5] == f"| `{MAC}` | compatible |  |"
    assert f"<details><summary>2 pins for {MAC}</summary>" in lines
    assert "| `onlymac` | `1.0` | `onlymac-1.0-cp312-cp312-macosx_12_0_arm64.whl` |" in lines


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("text", "code"), [("alone\n", 0), ("onlymac\n", 1), ("spam\n", 2)])
def test_every_format_has_the_verdict(
    index: Server, capsys: pytest.CaptureFixture[str], form: str, text: str, code: int
) -> None:
    index.fault("/simple/spam/", status(503))
    Path("wanted.txt").write_text(text)
    assert main(["check", "-r", "wanted.txt", "-t", LINUX, "--format", form]) == code
    out = capsys.readouterr().out
    assert verdict_in(out, form) == {0: "compatible", 1: "not compatible", 2: "unknown"}[code]


def test_a_format_of_another_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", "alone", "--format", "sarif"])
    assert ended.value.code == 2
    assert "invalid choice: 'sarif'" in capsys.readouterr().err


# -- whatever text an index gives


@given(st.text())
def test_no_text_breaks_out_of_an_annotation(text: str) -> None:
    from wheelcheck.render.github import _annotation

    problem = Problem(
        level="error", kind="K", project=text, reason=text, target=text, location=Location(file=text, line=1)
    )
    line = _annotation(problem)
    assert "\n" not in line
    assert "\r" not in line
    about = line.split("::", 2)[1]
    assert re.fullmatch(r"error file=[^,:]*,line=1,title=[^,:]*", about, re.DOTALL)


@given(st.text())
def test_no_text_breaks_out_of_markdown(text: str) -> None:
    from wheelcheck.render.markdown import _code, _escaped

    assert "<" not in _escaped(text)
    assert "\n" not in _escaped(text) + _code(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", _escaped(text))


@given(st.text())
def test_every_text_can_be_read_back_from_junit(text: str) -> None:
    from xml.etree import ElementTree as ET

    from wheelcheck.render.junit import _text

    element = ET.Element("a", b=_text(text))
    element.text = _text(text)
    ET.fromstring(ET.tostring(element, encoding="unicode"))
