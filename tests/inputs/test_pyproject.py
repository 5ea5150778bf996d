"""A pyproject.toml as what is asked: dependencies, extras, dependency groups; and sentences for what cannot be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.dependency_groups import resolve_dependency_groups
from packaging.requirements import Requirement

from doors import LINUX, MAC, PROJECTS, stand_alone
from loopback import Server, simple_index
from wheelcheck import UsageError, check
from wheelcheck.cli.main import main
from wheelcheck.inputs.pyproject import Pyproject
from wheelcheck.inputs.read import Inputs, read_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = """
[project]
name = "My.Project"
version = "1"
requires-python = ">=3.10,<3.13"
dependencies = ["spam<2", "ham; sys_platform == 'linux'"]
[project.optional-dependencies]
one = ["eggs"]
Two_X = ["alone; python_version < '3.13'", "my_project[one] ; sys_platform == 'linux'"]
all = ["my-project[one, two-x]"]
[dependency-groups]
Test_It = ["eggs", {include-group = "more"}]
more = ["alone"]
own = ["my-project[one]"]
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


def written(text: str, name: str = "pyproject.toml") -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return name


def asked(inputs: Inputs) -> list[tuple[str, str]]:
    return [(str(ask.requirement), str(ask.place)) for ask in inputs.asks]


SPAM = ("spam<2", "pyproject.toml [project] dependencies")
HAM = ('ham; sys_platform == "linux"', "pyproject.toml [project] dependencies")
EGGS = ("eggs", "pyproject.toml [project.optional-dependencies] one")
ALONE = ('alone; python_version < "3.13"', "pyproject.toml [project.optional-dependencies] two-x")
EGGS_THERE = ('eggs; sys_platform == "linux"', EGGS[1])
CHOICES: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({}, [SPAM, HAM]),
    ({"extras": ["one"]}, [SPAM, HAM, EGGS]),
    ({"extras": ["ONE", "one"]}, [SPAM, HAM, EGGS]),
    ({"extras": ["two.x"]}, [SPAM, HAM, ALONE, EGGS_THERE]),
    ({"extras": ["all"]}, [SPAM, HAM, EGGS, ALONE, EGGS_THERE]),
    ({"all_extras": True}, [SPAM, HAM, EGGS, ALONE, EGGS_THERE]),
]


@pytest.mark.parametrize(("options", "wanted"), CHOICES)
def test_a_project_is_its_dependencies_and_those_of_its_extras(
    options: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    inputs = read_inputs([], [written(PROJECT)], **options)
    assert asked(inputs) == wanted
    assert inputs.files == ("pyproject.toml",)


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ("test.it", [("eggs", "test-it"), ("alone", "more")]),
        ("more", [("alone", "more")]),
    ],
)
def test_a_group_is_its_requirements_and_those_of_the_groups_it_includes(
    group: str, wanted: list[tuple[str, str]]
) -> None:
    file = written(PROJECT, "sub dir/pyproject.toml")
    found = asked(read_inputs([], [], groups=[f"{file}:{group}"]))
    assert found == [(text, f"{file} [dependency-groups] {table}") for text, table in wanted]
    os.chdir("sub dir")
    assert len(read_inputs([], [], groups=[group]).asks) == len(wanted)


def test_a_group_that_names_the_project_means_its_own_lists() -> None:
    written(PROJECT)
    assert asked(read_inputs([], [], groups=["own"])) == [SPAM, HAM, EGGS]


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.lists(
            st.one_of(st.sampled_from(["x", "y>=2", "z"]), st.sampled_from("abcd").map(lambda g: {"include-group": g}))
        ),
        min_size=4,
    )
)
def test_groups_hold_what_packaging_says_they_hold(groups: dict[str, Any]) -> None:
    lines = [f"{name} = [{', '.join(map(toml, items))}]" for name, items in groups.items()]
    pyproject = Pyproject.parse("\n".join(["[dependency-groups]", *lines]).encode())
    try:
        wanted = set(resolve_dependency_groups(groups, "a"))
    except Exception:
        with pytest.raises(ValueError, match="include each other: "):
            list(pyproject.group("a"))
        return
    assert {str(one.requirement) for one in pyproject.group("a")} == wanted


def toml(item: Any) -> str:
    return json.dumps(item) if isinstance(item, str) else f'{{include-group = "{item["include-group"]}"}}'


# -- answers


def test_the_answer_names_the_table_of_each_ask(index: Server, capsys: pytest.CaptureFixture[str]) -> None:
    written(PROJECT)
    assert main(["check", "-r", "pyproject.toml", "--extra", "all", "-t", LINUX, "--format", "json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert [pin["name"] for pin in result["pins"]] == ["alone", "eggs", "ham", "spam"]
    assert not any("/my-project/" in request.path for request in index.requests)


def test_markers_are_for_the_target(index: Server) -> None:
    written(PROJECT)
    report = check(requirement=["pyproject.toml"], extra=["all"], targets=[LINUX, MAC])
    names = [[pin.name for pin in result.pins] for result in report.results]
    assert names == [["alone", "eggs", "ham", "spam"], ["alone", "eggs", "spam"]]
    demands = [demand.to_dict()["origin"] for demand in report.results[0].pins[0].demands]
    assert demands == [{"kind": "Asked", "place": "pyproject.toml [project.optional-dependencies] two-x"}]


@pytest.mark.parametrize(("ignored", "code"), [(False, 1), (True, 0)])
def test_requires_python_excludes_a_target(
    index: Server, capsys: pytest.CaptureFixture[str], ignored: bool, code: int
) -> None:
    written(PROJECT.replace(", \"ham; sys_platform == 'linux'\"", ""))
    option = ["--ignore-requires-python"] if ignored else []
    assert main(["check", "-r", "pyproject.toml", "-t", "linux-3.13.1", "-t", LINUX, *option]) == code
    out = capsys.readouterr().out
    told = "pyproject.toml [project] requires-python is for Python >=3.10,<3.13 only; this is CPython 3.13.1"
    assert (told in out) is not ignored
    assert "3.12.4: compatible" in out


def test_a_group_is_no_project_so_requires_python_says_nothing_of_it(index: Server) -> None:
    written(PROJECT)
    assert check(group=["more"], targets=["linux-3.13.1"]).ok


def test_a_group_needs_no_sound_project() -> None:
    written('[project]\nname = "a"\n[dependency-groups]\nx = ["b"]\n')
    assert [text for text, _ in asked(read_inputs([], groups=["x"]))] == ["b"]


def test_a_project_that_needs_nothing_has_an_answer(index: Server) -> None:
    written('[project]\nname = "a"\nversion = "1"\n[dependency-groups]\nnone = []\n')
    assert check(requirement=["pyproject.toml"], targets=[LINUX]).ok
    assert check(group=["none"], targets=[LINUX]).ok


def test_extras_that_include_each_other_are_read_once_and_told() -> None:
    written('[project]\nname = "a"\nversion = "1"\n[project.optional-dependencies]\nx = ["a[y]"]\ny = ["a[x]", "b"]\n')
    inputs = read_inputs([], ["pyproject.toml"], extras=["x"])
    assert [text for text, _ in asked(inputs)] == ["b"]
    assert inputs.notices == ("In pyproject.toml, extras include each other (x -> y -> x); each was read once.",)


def test_sources_that_only_uv_knows_are_told() -> None:
    sources = '[tool.uv.sources]\nMine = { path = "../mine" }\nother = { git = "https://h/x" }\n'
    written(f'[project]\nname = "a"\nversion = "1"\ndependencies = ["b", "mine"]\n{sources}')
    (notice,) = read_inputs([], ["pyproject.toml"]).notices
    assert notice.startswith("In pyproject.toml, [tool.uv.sources] has sources of its own for mine. They are not read")


@pytest.mark.parametrize("table", ["uv = 3", "uv.sources = []", "uv.sources.c = {}"])
def test_sources_that_matter_to_nothing_are_not_told(table: str) -> None:
    written(f'[project]\nname = "a"\nversion = "1"\ndependencies = ["b"]\n[tool]\n{table}\n')
    assert read_inputs([], ["pyproject.toml"]).notices == ()


def test_an_answer_is_not_remembered_beyond_a_change_of_the_file(index: Server) -> None:
    os.utime(written(PROJECT), (1, 1))
    assert len(check(group=["more"], targets=[LINUX]).results[0].pins) == 1
    written(PROJECT.replace('more = ["alone"]', 'more = ["alone", "ham"]'))
    assert len(check(group=["more"], targets=[LINUX]).results[0].pins) == 2


# -- what cannot be read

HEAD = '[project]\nname = "a"\nversion = "1"\n'
FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("", {}, "its pyproject.toml has no [project] table"),
    ("[project", {}, "cannot be parsed"),
    (HEAD + 'dynamic = ["dependencies"]', {}, "leaves dependencies open (dynamic), so only a build could tell"),
    (HEAD + 'dynamic = ["requires-python"]', {}, "leaves requires-python open"),
    (HEAD + 'dynamic = ["optional-dependencies"]', {"all_extras": True}, "leaves optional-dependencies open"),
    (HEAD + 'dependencies = ["b=1"]', {}, "dependencies has a requirement that cannot be parsed"),
    (HEAD + 'dependencies = ["b @ git+https://h/b"]', {}, "in pyproject.toml [project] dependencies names a source"),
    (HEAD, {"extras": ["x"]}, "pyproject.toml has no extra x: it has none"),
    (PROJECT, {"extras": ["all", "zz"]}, "pyproject.toml has no extra zz: it has all, one, two-x"),
    (
        HEAD + '[project.optional-dependencies]\nx = ["a[y]"]',
        {"extras": ["x"]},
        "x requires the extra y of the project",
    ),
    (HEAD, {"groups": ["x"]}, "[dependency-groups] has no group x: there are none"),
    (PROJECT, {"groups": ["x"]}, "has no group x: there are only: more, own, test-it"),
    ("dependency-groups = 3\n" + HEAD, {"groups": ["x"]}, "its dependency-groups are no table"),
    (HEAD + "[dependency-groups]\nx = 3", {"groups": ["x"]}, "[dependency-groups] x"),
    (HEAD + "[dependency-groups]\nx = ['b=1']", {"groups": ["x"]}, "[dependency-groups] x, 'b=1': "),
    (HEAD + "[dependency-groups]\nx = [{a = 'b'}]", {"groups": ["x"]}, "Invalid dependency group item"),
    (HEAD + "[dependency-groups]\nx = []\nX = []", {"groups": ["x"]}, "Duplicate dependency group names: x (x, X)"),
    (
        HEAD + "[dependency-groups]\nx = [{include-group = 'y'}]",
        {"groups": ["x"]},
        "[dependency-groups] x includes the group y, and there are only: x",
    ),
    (
        HEAD + "[dependency-groups]\nw = [{include-group = 'x'}]\nx = [{include-group = 'x'}]",
        {"groups": ["w"]},
        "groups include each other: x -> x",
    ),
    (HEAD, {"groups": ["x.toml:y"]}, "is not in a pyproject.toml: write path/pyproject.toml:NAME"),
    (HEAD, {"groups": ["pyproject.toml:"]}, "has no name"),
    (HEAD, {"groups": ["nowhere/pyproject.toml:x"]}, "There is no file nowhere/pyproject.toml"),
]


@pytest.mark.parametrize(("text", "options", "why"), FAULTS)
def test_what_cannot_be_read_is_told_in_one_sentence(text: str, options: dict[str, Any], why: str) -> None:
    files = [] if "groups" in options else ["pyproject.toml"]
    written(text)
    with pytest.raises(UsageError) as caught:
        read_inputs([], files, **options)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_extras_are_of_a_project() -> None:
    with pytest.raises(UsageError, match=r"add -r pyproject\.toml"):
        read_inputs(["a"], extras=["x"])


@pytest.mark.parametrize("depth", [2_000])
def test_lists_that_include_each_other_without_end_are_refused(depth: int) -> None:
    groups = [f"g{i} = [{{include-group = 'g{i + 1}'}}]" for i in range(depth)]
    written("\n".join(["[dependency-groups]", *groups, f"g{depth} = []"]))
    with pytest.raises(UsageError, match="flatten them"):
        read_inputs([], groups=["g0"])
    extras = [f"e{i} = ['a[e{i + 1}]; os_name == \"{i}\"', 'a[e{i + 1}]']" for i in range(30)]
    written("\n".join([HEAD, "[project.optional-dependencies]", *extras, "e30 = ['b']"]))
    with pytest.raises(UsageError, match=r"in more than|nested too deeply"):
        read_inputs([], ["pyproject.toml"], extras=["e0"])


def test_a_requirement_of_a_table_is_that_of_its_text() -> None:
    written(HEAD + 'dependencies = ["b[x]>=1 ; os_name == \'nt\'", "c @ https://host/c-1-py3-none-any.whl"]')
    found = [ask.requirement for ask in read_inputs([], ["pyproject.toml"]).asks]
    assert list(map(str, found)) == [
        str(Requirement("b[x]>=1 ; os_name == 'nt'")),
        "c @ https://host/c-1-py3-none-any.whl",
    ]
