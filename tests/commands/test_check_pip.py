"""What a pip command is about to do, told without doing it: pins, what stays, and what the rules say of both."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

import wheelcheck
from doors import PROJECTS, stand_alone
from environments import install, make_environment
from loopback import Server, simple_index
from sdists import make_source, write_project
from wheelcheck.common.errors import UsageError
from wheelcheck.interpreters.pip_environment import environment_of, interpreter_of
from wheels import Dist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheelcheck.commands.report import Report, Result

NUMPY = "cp3{minor}-cp3{minor}-manylinux_2_17_x86_64"
MORE: dict[str, list[Dist]] = {
    "numpy": [make_wheel("numpy", "1.26.4"), make_wheel("numpy", "2.2.6")],
    "ml-dtypes": [make_wheel("ml-dtypes", "0.2.0", requires=["numpy>=1.20"]), make_wheel("ml-dtypes", "0.5.0")],
    "user": [make_wheel("user", "1.0", requires=["ml-dtypes<0.3"])],
    "newer": [make_wheel("newer", "1.0", requires=["eggs>=2"])],
    "onlysource": [make_source("onlysource", "1.0", requires=["eggs"])],
    "dynamic": [make_source("dynamic", "1.0", dynamic=["requires-dist"])],
    "both": [make_source("both", "2.0"), make_wheel("both", "1.0")],
}


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment_python: Path) -> Iterator[Server]:
    stand_alone(monkeypatch, tmp_path)
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(environment_python.parent.parent))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    with simple_index({**PROJECTS, **MORE}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory on the path of the environment, for what is installed."""
    return tmp_path / "installed"


def asked(*arguments: str, **options: Any) -> Result:
    report: Report = wheelcheck.check_pip(arguments, **options)
    (result,) = report.results
    return result


def pins(result: Result) -> dict[str, str]:
    return {pin.name: str(pin.version) for pin in result.pins}


def stays(result: Result) -> dict[str, str]:
    return {one.name: str(one.version) for one in result.satisfied}


# -- what is installed counts as pip counts it


@pytest.mark.parametrize(
    ("arguments", "wanted", "staying"),
    [
        (["eggs"], {}, {"eggs": "1.5"}),
        (["eggs>=2"], {"eggs": "2.0"}, {}),
        (["-U", "eggs"], {"eggs": "2.0"}, {}),
        (["--upgrade", "eggs<2"], {}, {"eggs": "1.5"}),
        (["spam"], {"spam": "1.0"}, {"eggs": "1.5"}),
        (["--pre", "spam"], {"spam": "2.0rc1"}, {"eggs": "1.5"}),
        (["-U", "--pre", "spam"], {"spam": "2.0rc1"}, {"eggs": "1.5"}),
        (["-U", "--pre", "--upgrade-strategy", "eager", "spam"], {"spam": "2.0rc1", "eggs": "2.0"}, {}),
        (["newer"], {"newer": "1.0", "eggs": "2.0"}, {}),
        (["--no-deps", "newer"], {"newer": "1.0"}, {}),
        (["--force-reinstall", "eggs"], {"eggs": "2.0"}, {}),
        (["--force-reinstall", "eggs<2"], {"eggs": "1.5"}, {}),
        (["--ignore-installed", "eggs<2"], {"eggs": "1.5"}, {}),
        (["--target", "somewhere", "eggs<2"], {"eggs": "1.5"}, {}),
        (["--prefix", "somewhere", "eggs"], {}, {"eggs": "1.5"}),
        (["eggs[dev]"], {"ham": "1.0"}, {"eggs": "1.5"}),
    ],
)
def test_what_is_satisfied_stays(
    arguments: Sequence[str], wanted: dict[str, str], staying: dict[str, str], site: Path
) -> None:
    install(site, "eggs", "1.5", ["ham; extra == 'dev'"])
    result = (
        asked("install", *arguments, "--only-binary", "onlymac")
        if "ham" not in wanted
        else asked("install", *arguments, "--no-deps")
    )
    if "ham" in wanted:  # which has no file for every machine that runs the tests
        assert stays(result) == staying
        return
    assert (pins(result), stays(result)) == (wanted, staying)
    assert result.ok


def test_other_commands_ignore_what_is_installed(site: Path) -> None:
    install(site, "eggs", "1.5")
    for command in ("download", "wheel"):
        assert pins(asked(command, "eggs")) == {"eggs": "2.0"}


def test_what_is_satisfied_costs_no_request(site: Path, index: Server) -> None:
    install(site, "eggs", "1.5")
    index.requests.clear()
    assert stays(asked("install", "eggs")) == {"eggs": "1.5"}
    assert not index.requests


def test_an_installed_requirement_takes_part_in_a_conflict(site: Path) -> None:
    install(site, "keeper", "1.0", ["eggs<2"])
    result = asked("install", "keeper", "eggs>=2")
    assert result.conflict is not None
    origins = {type(demand.origin).__name__ for demand in result.conflict.demands}
    assert origins == {"Asked", "Installed"}


def test_what_else_is_installed_may_break(site: Path) -> None:
    """pip looks at what it installs only; it says afterwards what it broke."""
    install(site, "keeper", "1.0", ["eggs<2"])
    install(site, "eggs", "1.5")
    result = asked("install", "newer")
    assert pins(result) == {"newer": "1.0", "eggs": "2.0"}
    (concern,) = [one for one in result.concerns if one.kind == "BreaksInstalled"]
    assert (concern.project, concern.level, concern.installed) == ("eggs", "warning", "keeper")  # type: ignore[union-attr]
    assert not asked("install", "newer", strict=True).ok


def test_a_broken_installation_is_left_out_or_named(site: Path) -> None:
    install(site, "eggs", "1.5")
    (site / "eggs-1.5.dist-info" / "METADATA").unlink()
    (site / "~am-1.0.dist-info").mkdir()
    install(site, "broken", "1.0", ["eggs (>>1)"])
    report = wheelcheck.check_pip(["install", "eggs"])
    assert pins(report.results[0]) == {"eggs": "2.0"}
    assert any("eggs" in notice and "metadata" in notice for notice in report.notices)
    error = asked("install", "broken").error
    assert error is not None
    assert "the installed broken 1.0" in str(error)


def test_installed_distributions_are_those_of_pip_api(environment_python: Path, site: Path) -> None:
    from wheelcheck.interpreters.find import installed

    install(site, "eggs", "1.5", ["ham"])
    install(site, "Spam.And-More", "2.0")
    found = environment_of(environment_python).distributions
    assert {name: str(one.version) for name, one in found.items()} == installed(environment_python) | {
        "eggs": "1.5",
        "spam-and-more": "2.0",
    }


# -- what the rules say


def test_what_pip_would_choose_is_judged_by_the_rules() -> None:
    """check finds the answer that works; pip would take another one, which dies at import."""
    result = asked("install", "ml-dtypes<0.3")
    assert not result.ok
    assert pins(result) == {"ml-dtypes": "0.2.0", "numpy": "2.2.6"}
    assert result.conflict is not None
    assert [str(demand.requirement) for demand in result.conflict.demands] == [
        "ml-dtypes<0.3",
        "numpy<2",
        "numpy==2.2.6",
    ]
    assert [rule.id for rule in result.rules] == ["ml-dtypes-to-0.3-needs-numpy-1"]
    first = result.remedies[0]
    assert (first.kind, first.to_dict()["change"]) == ("AddRequirement", {"requirements": ["numpy<2"]})
    assert {pin.name: str(pin.version) for pin in first.pins} == {"ml-dtypes": "0.2.0", "numpy": "1.26.4"}
    assert asked("install", "ml-dtypes<0.3", "numpy<2").ok
    assert asked("install", "ml-dtypes<0.3", no_rules=True).ok
    assert asked("install", "ml-dtypes<0.3", ignore=["ml-dtypes-to-0.3-needs-numpy-1"]).ok


def test_a_rule_counts_for_what_stays_installed(site: Path) -> None:
    install(site, "ml-dtypes", "0.2.0", ["numpy>=1.20"])
    result = asked("install", "numpy")
    assert not result.ok
    assert result.conflict is not None
    assert [str(demand.requirement) for demand in result.conflict.demands] == ["numpy<2", "numpy==2.2.6"]
    assert asked("install", "numpy<2").ok


def test_what_is_broken_already_and_not_touched_is_not_counted(site: Path) -> None:
    install(site, "ml-dtypes", "0.2.0", ["numpy>=1.20"])
    install(site, "numpy", "2.2.6")
    assert asked("install", "alone").ok


# -- sources


def test_a_source_distribution_counts_as_in_pip() -> None:
    result = asked("install", "onlysource")
    assert (pins(result), result.ok) == ({"onlysource": "1.0", "eggs": "2.0"}, True)
    assert "SourceOnly" in [concern.kind for concern in result.concerns]
    assert pins(asked("install", "both")) == {"both": "2.0"}
    assert pins(asked("install", "--prefer-binary", "both")) == {"both": "1.0"}
    assert pins(asked("install", "--only-binary=:all:", "both")) == {"both": "1.0"}
    refused = asked("install", "--only-binary", ":all:", "onlysource")
    assert refused.conflict is not None


def test_dynamic_metadata_is_unknown_and_never_built() -> None:
    result = asked("install", "dynamic")
    assert result.error is not None
    assert "build" in str(result.error)


def test_an_editable_project_is_read(tmp_path: Path, site: Path) -> None:
    write_project(tmp_path / "app", '[project]\nname = "app"\nversion = "1.0"\ndependencies = ["eggs"]\n')
    install(site, "app", "1.0")
    assert pins(asked("install", "-e", str(tmp_path / "app"))) == {"app": "1.0", "eggs": "2.0"}
    (tmp_path / "r.txt").write_text(f"-e {tmp_path}/app\n")
    assert pins(asked("install", "-r", str(tmp_path / "r.txt"))) == {"app": "1.0", "eggs": "2.0"}
    write_project(tmp_path / "open", '[project]\nname = "open"\nversion = "1.0"\ndynamic = ["dependencies"]\n')
    error = asked("install", "-e", str(tmp_path / "open")).error
    assert error is not None
    assert "build" in str(error)


def test_a_local_wheel_of_the_installed_version_stays(tmp_path: Path, site: Path) -> None:
    wheel = make_wheel("eggs", "1.5")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    assert pins(asked("install", f"./{wheel.filename}")) == {"eggs": "1.5"}
    install(site, "eggs", "1.5")
    assert (pins(asked("install", f"./{wheel.filename}")), stays(asked("install", f"./{wheel.filename}"))) == (
        {},
        {"eggs": "1.5"},
    )


# -- options, as pip reads them


def test_configuration_and_variables_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Path) -> None:
    install(site, "eggs", "1.5")
    (tmp_path / "pip.conf").write_text(
        "[global]\npre = yes\n[install]\nupgrade = true\nno-deps = 1\n[download]\npre = no\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert pins(asked("install", "spam", "eggs")) == {"spam": "2.0rc1", "eggs": "2.0"}
    assert pins(asked("download", "spam")) == {"spam": "1.0", "eggs": "1.5"}
    monkeypatch.setenv("PIP_PRE", "0")
    assert pins(asked("install", "spam")) == {"spam": "1.0"}


def test_options_of_the_command_line_come_before_configuration(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
    assert pins(asked("install", "--index-url", index.index, "alone")) == {"alone": "1.0"}
    assert pins(asked("install", f"-i{index.index}", "alone")) == {"alone": "1.0"}
    assert pins(asked("install", "--index", index.index, "alone")) == {"alone": "1.0"}


def test_isolated_ignores_variables(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_PRE", "1")
    assert pins(asked("install", "spam"))["spam"] == "2.0rc1"
    assert pins(asked("install", "--isolated", "-i", index.index, "spam"))["spam"] == "1.0"
    assert pins(asked("--isolated", "install", "-i", index.index, "spam"))["spam"] == "1.0"


def test_another_python_is_asked_for_as_pip_asks() -> None:
    arguments = ["--platform", "macosx_12_0_arm64", "--python-version", "3.12", "--only-binary=:all:", "-t", "x"]
    result = asked("install", *arguments, "onlymac")
    assert pins(result) == {"onlymac": "1.0"}
    assert result.target.python == "3.12.0"
    assert asked("install", "--python-version", "3.11", *arguments[:2], *arguments[4:], "onlymac").conflict is not None


def test_markers_of_the_machine_decide_and_a_difference_is_told(index: Server) -> None:
    index.add_project("portable", [make_wheel("portable", "1.0", requires=["eggs; sys_platform == 'win32'"])])
    arguments = ["--platform", "win_amd64", "--only-binary=:all:", "-t", "x", "portable"]
    result = asked("install", *arguments)
    assert pins(result) == {"portable": "1.0"}
    (concern,) = [one for one in result.concerns if one.kind == "MarkerUnknown"]
    assert concern.to_dict()["by_host"] is None
    assert concern.to_dict()["by_target"] == "2.0"


def test_a_group_and_constraints(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[dependency-groups]\ntest = ["eggs"]\n')
    (tmp_path / "c.txt").write_text("eggs<2\n")
    assert pins(asked("install", "eggs", "-c", "c.txt")) == {"eggs": "1.5"}
    try:
        found = asked("install", "--group", "test", "-c", "c.txt")
    except UsageError as error:  # before pip 25.1
        assert "no such option: --group" in str(error)  # noqa: PT017
    else:
        assert pins(found) == {"eggs": "1.5"}


# -- nothing to judge


@pytest.mark.parametrize("arguments", [["list"], ["--version"], [], ["install", "--help"], ["uninstall", "six"]])
def test_other_commands_have_no_result(arguments: list[str]) -> None:
    report = wheelcheck.check_pip(arguments)
    assert (report.ok, report.results, report.exit_code) == (True, (), 0)


# -- what pip would refuse, and what cannot be read


def test_bad_usage_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop.txt").write_text("-r loop.txt\n")
    (tmp_path / "latin.txt").write_bytes("# Jörg\nspam\n".encode("latin-1"))
    for arguments, words in {
        ("install",): "names no requirement",
        ("install", "--frobnicate", "x"): "no such option: --frobnicate",
        ("install", "-r", "missing.txt"): "missing.txt",
        ("install", "-r", "loop.txt"): "loop",
        ("install", "-r", "latin.txt"): "latin.txt",
        ("install", "git+https://example.org/x"): "source repository",
        ("install", "--python", "/nowhere/python", "six"): "/nowhere/python",
        ("install", "--python-version", "three", "--only-binary=:all:", "six"): "three",
    }.items():
        with pytest.raises(UsageError) as told:
            asked(*arguments)
        assert words in str(told.value)
        assert "\n" not in str(told.value)
    with pytest.raises(UsageError, match="is pip's to take"):
        asked("install", "six", pre=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="VIRTUAL_ENV"):
        asked("install", "six")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbfalone\n")
    assert pins(asked("install", "-r", "bom.txt")) == {"alone": "1.0"}


def test_an_environment_without_pip_is_judged_with_the_pip_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = make_environment(tmp_path / "bare", pip=False)
    assert pins(asked("install", "--python", str(bare), "alone")) == {"alone": "1.0"}
    assert pins(asked("--python", str(bare.parent.parent), "install", "alone")) == {"alone": "1.0"}
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "bare"))
    with pytest.raises(UsageError, match="has no pip"):
        asked("install", "alone")


def test_the_interpreter_is_that_of_the_active_environment(tmp_path: Path, environment_python: Path) -> None:
    place = str(environment_python.parent.parent)
    assert interpreter_of(None, {"VIRTUAL_ENV": place}) == environment_python
    assert interpreter_of(None, {"CONDA_PREFIX": place}) == environment_python
    assert interpreter_of(str(environment_python), {"VIRTUAL_ENV": "/nowhere"}) == environment_python
    assert interpreter_of(None, {}).samefile(sys.executable)


def test_an_index_out_of_reach_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
    report = wheelcheck.check_pip(["install", "alone"])
    assert (report.ok, report.exit_code) == (False, 2)


def test_options_that_are_new_to_wheelcheck_are_named(
    monkeypatch: pytest.MonkeyPatch, environment_python: Path
) -> None:
    """A newer pip may have options that nobody here has heard of; they are passed on."""
    from wheelcheck.commands import check_pip as module

    table = module.option_table(environment_of(environment_python), None)
    new = {"spellings": ["--brand-new"], "dest": "brand_new", "action": "store", "takes_value": True}
    monkeypatch.setattr(module, "option_table", lambda *_: {**table, "install": [*table["install"], new]})
    report = wheelcheck.check_pip(["install", "--brand-new", "value", "alone"])
    assert pins(report.results[0]) == {"alone": "1.0"}
    assert any("--brand-new" in notice for notice in report.notices)


def test_a_pip_that_does_not_know_python_is_not_given_it() -> None:
    from wheelcheck.commands.check_pip import without_python

    words = ["--python", "/x", "install", "--python=/y", "six", "--", "--python"]
    assert without_python(words) == ["install", "six", "--", "--python"]


def test_the_document_has_what_pip_installs_and_what_stays(site: Path) -> None:
    install(site, "eggs", "1.5")
    document = wheelcheck.check_pip(["install", "spam"]).to_dict()
    assert document["schema"] == "wheelcheck/report/1"
    (result,) = document["results"]  # type: ignore[misc]
    assert result["satisfied"] == [{"name": "eggs", "version": "1.5"}]  # type: ignore[index,call-overload]
    assert json.dumps(document)
