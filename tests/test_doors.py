"""One question at every door: the command in each format, the library, the hook and the pytest plugin agree."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

import wheelcheck
from doors import PROJECTS, stand_alone
from formats import FORMATS, verdict_in
from loopback import Server, simple_index, status
from wheelcheck.cli.main import main
from wheelcheck.hook.guard import guard
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["pytester"]

MORE = {
    "older": [make_wheel("older", "1.0", "cp36-cp36m-manylinux1_x86_64")],
    "down": [make_wheel("down", "1.0")],
}
VERDICTS = ("compatible", "not compatible", "unknown")
QUESTIONS = {
    "alone": 0,
    "spam": 0,
    "older": 1,
    "nosuchproject": 1,
    "spam eggs>=2": 1,
    "down": 2,
    "alone down": 2,
}


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester, environment_python: Path) -> Iterator[Server]:
    stand_alone(monkeypatch, pytester.path)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(environment_python.parent.parent))
    with simple_index({**PROJECTS, **MORE}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        server.fault("/simple/down/", status(503))
        yield server


@pytest.mark.parametrize(("question", "code"), QUESTIONS.items(), ids=QUESTIONS)
def test_every_door_gives_the_same_verdict(
    question: str, code: int, index: Server, pytester: pytest.Pytester, environment_python: Path
) -> None:
    words, target = question.split(), str(environment_python)
    verdicts = {}
    for form in FORMATS:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert main(["check", *words, "-t", target, "--format", form]) == code
        verdicts[form] = verdict_in(out.getvalue(), form)
    verdicts["library"] = VERDICTS[wheelcheck.check(words, targets=[target]).exit_code]
    verdicts["check_pip"] = VERDICTS[wheelcheck.check_pip(["install", *words]).exit_code]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        verdicts["hook"] = VERDICTS[guard(["hook", "--format", "json", "install", *words])]
    verdicts["hook's document"] = verdict_in(json.dumps(json.loads(out.getvalue())), "json")
    verdicts["plugin"] = verdict_of_plugin(pytester, "\n".join(words), target)
    assert verdicts == dict.fromkeys(verdicts, VERDICTS[code])


def verdict_of_plugin(pytester: pytest.Pytester, text: str, target: str) -> str:
    """What the plugin records of a requirements file, in a process of its own."""
    (pytester.path / "wanted.txt").write_text(text)
    pytester.makeini(f"[pytest]\nwheelcheck_requirements = wanted.txt\nwheelcheck_targets = {target}\n")
    pytester.run(sys.executable, "-m", "pytest", "--wheelcheck", "--junitxml", "report.xml")
    report = (pytester.path / "report.xml").read_text()
    return report.partition('name="wheelcheck.verdict" value="')[2].partition('"')[0]
