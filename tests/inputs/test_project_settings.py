"""What ``[tool.wheelcheck]`` fixes for a project: found from its directories, beaten by what is given, never stale."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from doors import LINUX, MAC, stand_alone
from loopback import simple_index
from wheelcheck.cli.main import main
from wheelcheck.cli.parser import parser_for
from wheelcheck.inputs.project_settings import SETTINGS, read_settings
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loopback import Server

OWN_RULE = """
project = "spam"
[[rule]]
id = "spam-2"
versions = "==2.0"
effect = "forbids"
why = "It is empty."
evidence = "contents"
confidence = "certain"
sources = [{ fact = "Seen.", date = "2025-01-01" }]
"""


@pytest.fixture(scope="module")
def index() -> Iterator[Server]:
    with simple_index({"spam": [make_wheel("spam", version) for version in ("1.0", "2.0", "3.0rc1")]}) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stand_alone(monkeypatch, tmp_path)
    (tmp_path / "project" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "below")
    return tmp_path / "project"


def state(folder: Path, *lines: str) -> None:
    (folder / "pyproject.toml").write_text("\n".join(["[tool.wheelcheck]", *lines]), "utf-8")


def chosen(index: Server, capsys: Any, *arguments: str) -> dict[str, str]:
    """The version of spam for each target."""
    main(["check", "spam", "-i", index.index, "--format", "json", *arguments])
    told = json.loads(capsys.readouterr().out)
    return {result["target"]["platform"]: result["pins"][0]["version"] for result in told["results"]}


def test_the_options_of_a_project_are_those_of_the_file_above(project: Path, index: Server, capsys: Any) -> None:
    (project / "rules").mkdir()
    (project / "rules" / "own.toml").write_text(OWN_RULE, "utf-8")
    (project / "below" / "pyproject.toml").write_text("[project]\nname = 'no settings'\n", "utf-8")
    state(project, f'target = ["{LINUX}", "{MAC}"]', 'rules = "rules"')
    assert list(chosen(index, capsys).values()) == ["1.0", "1.0"]
    assert list(chosen(index, capsys, "-t", LINUX).values()) == ["1.0"]
    assert list(chosen(index, capsys, "-t", LINUX, "--ignore", "spam-2").values()) == ["2.0"]
    assert list(chosen(index, capsys, "-t", LINUX, "--isolated").values()) == ["2.0"]
    assert main(["rules", "show", "spam-2"]) == 0


def test_a_changed_file_never_gives_an_old_answer(
    project: Path, index: Server, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line, version in (("pre = false", "2.0"), ("pre = true ", "3.0rc1"), ("pre = false", "2.0")):
        state(project, line)
        assert list(chosen(index, capsys, "-t", LINUX).values()) == [version]
    state(project, "pre = true")
    monkeypatch.setenv("WHEELCHECK_PRE", "0")
    assert list(chosen(index, capsys, "-t", LINUX).values()) == ["2.0"]


def test_rules_that_are_given_count_where_a_project_wants_none(project: Path, index: Server, capsys: Any) -> None:
    state(project, "no-rules = true")
    (project / "own.toml").write_text(OWN_RULE, "utf-8")
    assert list(chosen(index, capsys, "-t", LINUX, "--rules", str(project / "own.toml")).values()) == ["1.0"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "strickt = true",
            r"pyproject\.toml, \[tool\.wheelcheck\]: the key 'strickt' is .* mean strict\?",
        ),
        ("xyz = 1", r"the key 'xyz' is not known; the keys are allow-sdists, "),
        ('strict = "yes"', "strict is not true or false"),
        ("exclude-newer = 2024-01-01", "exclude-newer is not a text in quotes"),
        ('ignore = "a"', "ignore is not a list of texts"),
        ("target = [1]", "target is not a list of texts"),
        ('resolution = "newest"', "resolution is 'newest', not one of highest"),
        ("strict = ", "pyproject.toml is not a TOML file"),
        ("strict = " + "[" * 50_000, "pyproject.toml is not a TOML file"),
        ('rules = "nowhere.toml"', r"The rules in .*nowhere\.toml could not be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(project: Path, capsys: Any, line: str, said: str) -> None:
    state(project, line)
    assert main(["check", "spam", "-t", LINUX, "--no-index", "-f", "."]) == 2
    error = capsys.readouterr().err
    assert re.search(said, error)
    assert error.count("\n") == 1


def test_the_keys_are_options_of_check() -> None:
    parser, _ = parser_for(["check"])
    assert {f"--{key}" for key in SETTINGS} <= {text for action in parser._actions for text in action.option_strings}


def test_no_file_states_nothing(tmp_path: Path) -> None:
    assert read_settings([str(tmp_path / "pyproject.toml")]) == {}
